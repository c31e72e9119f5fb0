-- run_cancel.lua: a person ends a run. ARGV: prefix, epoch, id, who. Answers EPOCH, 'NONE', 'OVER', or 'OK': one that has not
-- begun is over at once, one that runs with the page that it is at.
if not knows_all(ARGV[2]) then
	return EPOCH
end
local id, key = ARGV[3], P .. 'run:' .. ARGV[3]
local r = call('HMGET', key, 'st', 'c')
local state, conn, now = r[1], r[2], now_ms()
if not state then
	return 'NONE'
end
if state ~= 'queued' and state ~= 'running' then
	return 'OVER'
end
call('HSET', key, 'cx', ARGV[4], 'ua', now)
if state == 'queued' and call('HGET', P .. 'runs:nxt', conn) == id then
	call('HDEL', P .. 'runs:nxt', conn)
	call('HSET', key, 'st', 'cancelled', 'ea', now)
	poll_behind(conn, id)
	return 'OK'
end
-- A slice that waits for its time comes now, and finds it.
if call('HEXISTS', P .. 'q:held', 'sync:' .. conn) == 0 then
	if state == 'queued' then
		call('HSET', key, 'st', 'cancelled', 'ea', now)
	end
	enqueue(conn, 'sync:' .. conn)
	wake()
end
return 'OK'
