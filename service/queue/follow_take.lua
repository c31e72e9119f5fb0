-- follow_take.lua: the transfers of a connection that are due in this round of follow-up, for one call to the target. What is not
-- to be asked for any more is taken out. Nothing is promised to the caller: what it does not settle (follow_done.lua) is due
-- still. ARGV: prefix, connection, delivery step, most transfers.
-- Answers {now, '1' when there are more to look at, then id, kind, source id, number, generation, sent ms, key at the target,
-- word, end of the watch or '0', ...}.
local conn, step, most = ARGV[2], ARGV[3], tonumber(ARGV[4])
local LATER_MS, LOOKS = 900000, 200
local now = now_ms()
local queue, watched = P .. 'q:fo:' .. conn, P .. 'ix:' .. conn .. ':watched'
local answer, n = { now, '' }, 0

local function is_placed(id)
	return call('ZSCORE', P .. 'q:c:' .. conn, id) or call('ZSCORE', P .. 'q:delayed', id)
		or call('HEXISTS', P .. 'q:held', id) == 1
end

local function later(id)
	local due = string.format('%.0f', now + LATER_MS)
	call('HSET', P .. 't:' .. id, 'fd', due)
	call('ZADD', queue, due, id)
end

-- Its own run judges it, whatever the target says: it waits for that, or it cannot be asked for.
local function leave_to_run(id)
	later(id)
	if not is_placed(id) then
		call('HSET', P .. 't:' .. id, 'fv', 1)
		enqueue_verdict(conn, id)
	end
end

local function take(id)
	local key = P .. 't:' .. id
	local r = call('HMGET', key, 'st', 'k', 's', 'no', 'g', 'fs', 'fu', 'fw', 'fv')
	local is_watched = r[1] == 'done' and r[7]
	if not is_watched and r[1] ~= 'following' then
		call('ZREM', queue, id)
		call('ZREM', watched, id)
		return
	end
	if is_watched and tonumber(r[7]) <= now then
		unfollow(conn, id)
		return
	end
	local name = '.' .. (r[5] or '1') .. '.' .. step
	local f = call('HMGET', key, 'i' .. name, 'o' .. name)
	if r[9] or not f[2] then
		leave_to_run(id)
		return
	end
	n = n + 1
	call('HDEL', key, 'fh') -- asked from here on; a hint that comes now is another
	for _, text in ipairs({ id, r[2] or '', r[3] or '', r[4] or '', r[5] or '1', f[1] or r[6] or '0', f[2], r[8] or '',
		is_watched and r[7] or '0' }) do
		answer[#answer + 1] = text
	end
end

local due = call('ZRANGEBYSCORE', queue, '-inf', now, 'LIMIT', 0, LOOKS)
local looked = 0
for _, id in ipairs(due) do
	if n == most then
		break
	end
	looked = looked + 1
	take(id)
end
if looked < #due or #due == LOOKS then
	answer[2] = '1'
end
return answer
