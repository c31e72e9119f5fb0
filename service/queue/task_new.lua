-- task_new.lua: queues a poll, check, dry run or dialogue. ARGV: prefix, id, kind, connection, args. Answers 1: made, 0: it waits or
-- runs already. One that runs may have read before what it is ordered for: it runs once more before it is done.
local made = new_task(ARGV[2], ARGV[3], ARGV[4], ARGV[5], now_ms())
if not made then
	call('HSET', P .. 'j:' .. ARGV[2], 'a', ARGV[5])
	look_again(ARGV[2], true)
end
wake()
return made and 1 or 0
