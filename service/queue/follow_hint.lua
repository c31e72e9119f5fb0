-- follow_hint.lua: targets that say by themselves that something became of what was sent (MV-14): the next round of follow-up is
-- brought forward, also while the connection is paused. Who knocks again at once waits for SOON_MS, so that no number of
-- hints is more than a round each two seconds.
-- ARGV: prefix, epoch, then per hint connection, key at the target. Answers EPOCH, or a letter each: A asked for soon, U nobody
-- who is followed has the key.
if not knows_all(ARGV[2]) then
	return EPOCH
end
local AGAIN_MS, SOON_MS = 300000, 2000
local now = now_ms()
local letters, conns, any = {}, {}, false

-- It needs data, and has runs of its own.
local function run_soon(conn, id, asked)
	if look_again(id, true) then
		return
	end
	local due = math.max(now, tonumber(asked or 0) + SOON_MS)
	local planned = tonumber(call('ZSCORE', P .. 'q:delayed', id) or 0)
	if call('ZSCORE', P .. 'q:c:' .. conn, id) or (planned > 0 and planned <= due) then
		return
	end
	if due > now then
		call('HSET', P .. 't:' .. id, 'due', string.format('%.0f', due))
		delay(conn, id, due)
	else
		enqueue_verdict(conn, id)
		any = true
	end
end

local function hear(conn, id)
	local key = P .. 't:' .. id
	local r = call('HMGET', key, 'st', 'fu', 'fa', 'fd', 'fv')
	if r[1] == 'needs_data' and r[5] then
		return run_soon(conn, id, r[3])
	end
	local is_followed = r[4] and (r[1] == 'following' or (r[1] == 'done' and r[2]))
	call('HSET', key, 'fh', 1)
	if not is_followed then
		return -- its delivery has not ended yet (finish.lua)
	end
	local due = math.min(tonumber(r[4]), math.max(now, tonumber(r[3] or 0) + SOON_MS))
	call('HSET', key, 'fd', string.format('%.0f', due))
	follow(conn, { due, id }, due)
	conns[conn] = true
end

for a = 3, #ARGV, 2 do
	local conn = ARGV[a]
	local id = call('HGET', P .. 'fk:' .. conn, ARGV[a + 1])
	if id and call('HEXISTS', P .. 't:' .. id, 'st') == 1 then
		hear(conn, id)
		letters[#letters + 1] = 'A'
	else
		letters[#letters + 1] = 'U'
	end
end
for conn in pairs(conns) do
	if plan_round(conn, now, now + AGAIN_MS) and new_task('follow:' .. conn, 'follow', conn, '', now) then
		any = true
	end
end
if any then
	wake()
end
return table.concat(letters)
