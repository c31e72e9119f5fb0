-- follow_done.lua: what a round of follow-up heard, stored wholly or not at all: when each is asked for again, what the target
-- said, and for those with news their own run, which judges it. Under the round's fence.
-- ARGV: prefix, round's id, fence, connection, then per transfer id, generation, interval ms, word, '1' with news.
-- Answers {'OK' or 'LOST', '1' when more are due now}.
local round, fence, conn = ARGV[2], ARGV[3], ARGV[4]
local AGAIN_MS, SOON_MS = 300000, 2000
local now = now_ms()
local NOW = string.format('%.0f', now)
local mine = call('HGET', P .. 'q:held', round)
if not mine or read_held(mine) ~= fence then
	return { 'LOST' }
end

-- Who runs just now may have asked before the news: they are heard again.
local function tell(id, key, word, has_news, is_held)
	if is_held then
		return
	end
	if word ~= '' then
		call('HSET', key, 'fw', word)
	end
	if has_news then
		call('HSET', key, 'fv', 1)
		enqueue_verdict(conn, id)
		return true
	end
end

local any, list = false, {}
for a = 5, #ARGV, 5 do
	local id, key = ARGV[a], P .. 't:' .. ARGV[a]
	local r = call('HMGET', key, 'st', 'g', 'fu', 'fh')
	local is_watched = r[1] == 'done' and r[3]
	if (r[1] == 'following' or is_watched) and r[2] == ARGV[a + 1] then
		local has_news = ARGV[a + 4] == '1'
		local is_held = has_news and call('HEXISTS', P .. 'q:held', id) == 1
		local due = (is_held or r[4]) and now + SOON_MS or follow_due(conn, tonumber(ARGV[a + 2]), now)
		due = string.format('%.0f', is_watched and math.min(due, tonumber(r[3])) or due)
		call('HSET', key, 'fd', due, 'fa', NOW)
		list[#list + 1] = due
		list[#list + 1] = id
		any = tell(id, key, ARGV[a + 3], has_news, is_held) or any
	end
end
if list[1] then
	call('ZADD', P .. 'q:fo:' .. conn, unpack(list))
end
local more = plan_round(conn, now, now + AGAIN_MS)
if any then
	wake()
end
return { 'OK', more and '1' or '' }
