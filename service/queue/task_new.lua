-- task_new.lua: queues a poll, check, dry run or dialogue. ARGV: prefix, id, kind, connection, args. Answers 1: made, 0: it waits or
-- runs already.
local made = new_task(ARGV[2], ARGV[3], ARGV[4], ARGV[5], now_ms())
wake()
return made and 1 or 0
