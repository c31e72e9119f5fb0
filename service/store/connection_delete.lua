-- connection_delete.lua: what is left of a connection is who it was: its record without settings, credentials and facts, and the
-- transfers, which keep their business keys, so that one made anew by the same name sends nothing a second time. Wholly or not
-- at all; looks at every transfer that is not at rest, which an administrator may ask for once in a while.
-- Refused while something that was sent, or may have been, has not come to its end (SV-07). What was never sent is cancelled
-- ('cd'), until a poll of one made anew finds it again (intake.lua).
-- ARGV: prefix, epoch, id, revision or '-1', code of the transfers that it cancels, put_connection's fields of what is left.
-- Answers EPOCH, or a list: -1 not found, -2 changed meanwhile, -3 active, or 0, how many run, are in doubt, are followed, and
-- when the last watch ends or 0; or the new revision.
if not knows_all(ARGV[2]) then
	return EPOCH
end
local id, wanted, REASON, FIELDS = ARGV[3], ARGV[4], ARGV[5], 6
local now = now_ms()
local key, ix = P .. 'conn:' .. id, P .. 'ix:' .. id .. ':'
local rev, paused = call('HGET', key, 'rev'), call('HGET', P .. 'q:keys:' .. id, 'p')
if not rev or paused == 'd' then
	return { -1 }
elseif wanted ~= '-1' and wanted ~= rev then
	return { -2 }
elseif paused == '0' then
	return { -3 }
end

local running, doubts, followed, unsent, settled = 0, 0, 0, {}, {}
local held = call('HGETALL', P .. 'q:held')
for i = 1, #held, 2 do
	local _, facts = read_held(held[i + 1])
	running = running + (facts.conn == id and 1 or 0)
end

-- A register run that is not over has creations whose outcome is to be looked for.
local run = call('HGET', P .. 'runs:act', id)
local run_state = run and call('HGET', P .. 'run:' .. run, 'st')
running = running + ((run_state == 'queued' or run_state == 'running') and 1 or 0)

-- part: of the index. What was sent and is under way has its status at the source still to be set, or its verdict to come.
local function sort_out(part, is_under_way)
	for _, transfer in ipairs(call('ZRANGE', ix .. part, 0, -1)) do
		local r = call('HMGET', P .. 't:' .. transfer, 'st', 'dl', 'fv')
		if not r[1] then
			call('ZREM', ix .. part, transfer)
		elseif r[2] and (is_under_way or r[3]) then
			followed = followed + 1
		elseif r[2] then
			settled[#settled + 1] = transfer
		elseif open_intent(transfer) then
			doubts = doubts + 1
		else
			unsent[#unsent + 1] = { transfer, r[1] }
		end
	end
end
sort_out('active', true)
sort_out('retrying', true)
sort_out('waiting', true)
sort_out('needs_data', false)
sort_out('system_fault', false)
doubts = doubts + call('ZCARD', ix .. 'in_doubt')
followed = followed + call('ZCARD', ix .. 'following') + call('ZCARD', ix .. 'watched')
if running + doubts + followed > 0 then
	local last = call('ZREVRANGE', ix .. 'watched', 0, 0, 'WITHSCORES')
	return { 0, running, doubts, followed, last[2] or 0 }
end

for _, t in ipairs(unsent) do
	local record = P .. 't:' .. t[1]
	call('ZREM', P .. 'q:delayed', t[1])
	call('HDEL', record, 'due', 'ft', 'e')
	call('HSET', record, 'st', 'cancelled', 'ua', string.format('%.0f', now), 'ec', REASON, 'cd', 1)
	call('HINCRBY', record, 'rv', 1)
	index(id, t[1], t[2], 'cancelled', now)
end
for _, transfer in ipairs(settled) do -- nobody asks for them any more
	call('ZREM', P .. 'q:delayed', transfer)
	call('HDEL', P .. 't:' .. transfer, 'due')
end
call('DEL', P .. 'q:c:' .. id, P .. 'report:' .. id)
call('HSET', key, 'fr', tonumber(call('HGET', key, 'fr') or 0) + 1, 'fx', '') -- newer than what a vault may put back
for _, set in ipairs({ 'q:ring', 'q:sleep', 'q:follow', 'dialogues' }) do
	call('ZREM', P .. set, id)
end
put_connection(id, tonumber(rev) + 1, FIELDS, now)
call('ZREM', P .. 'q:ring', id)
call('INCR', P .. 'conns:ver')
return { tonumber(rev) + 1 }
