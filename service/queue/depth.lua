-- depth.lua: how much waits. Answers {connections with ready jobs, delayed, running, sleeping, ms since the oldest lease
-- ended, ms since the oldest poll was due}.
local first = call('ZRANGE', P .. 'q:leases', 0, 0, 'WITHSCORES')
local late = first[2] and math.max(0, now_ms() - tonumber(first[2])) or 0
local poll = call('ZRANGE', P .. 'sched', 0, 0, 'WITHSCORES')
local poll_late = poll[2] and math.max(0, now_ms() - tonumber(poll[2])) or 0
return { call('ZCARD', P .. 'q:ring'), call('ZCARD', P .. 'q:delayed'), call('HLEN', P .. 'q:held'),
	call('ZCARD', P .. 'q:sleep'), late, poll_late }
