-- transfer_order.lua: what people order for a transfer: retry, resend, cancel, arrived.
-- ARGV: prefix, epoch, moves, id, action, revision or '-1', sealed timeline entry, '1': despite a doubt, the delivery step and
-- its outcome, for 'arrived' alone.
-- Answers EPOCH, or the new revision, -1: not found, -2: changed meanwhile, -3: not possible in its state, -4: it may be at the target.
if not knows_all(ARGV[2]) then
	return EPOCH
end
local MOVES, id, action, rev = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local key = P .. 't:' .. id
local now = now_ms()
local r = call('HMGET', key, 'st', 'rv', 'c', 'dl')
local from, conn = r[1], r[3]

local AT_REST = { done = true, needs_data = true, system_fault = true, skipped = true, cancelled = true }

local function may(to)
	return string.find(MOVES, ',' .. from .. '>' .. to .. ',', 1, true)
end

-- No sending stands open, or a person says to have looked at the target.
local function doubtless()
	return ARGV[8] == '1' and AT_REST[from] or not open_intent(id)
end

-- The state to move to, nil, or -4.
local function target()
	if call('HEXISTS', P .. 'q:held', id) == 1 or call('HGET', P .. 'q:keys:' .. conn, 'p') == 'd' then
		return nil
	end
	if action == 'resend' then
		return AT_REST[from] and may('queued') and (doubtless() and 'queued' or -4)
	end
	if action == 'arrived' then
		return (AT_REST[from] or from == 'in_doubt') and not r[4] and may('queued') and 'queued'
	end
	if action == 'cancel' then
		return may('cancelled') and not r[4] and (doubtless() and 'cancelled' or AT_REST[from] and -4)
	end
	if from == 'done' or from == 'queued' then
		return nil
	end
	-- These two keep their state until somebody has looked.
	if from == 'in_doubt' or from == 'following' then
		return from
	end
	return may('queued') and 'queued'
end

if not from then
	return -1
end
if rev ~= '-1' and rev ~= r[2] then
	return -2
end
local to = target()
if not to then
	return -3
elseif to == -4 then
	return -4
end
call('HDEL', key, 'due', 'ft', 'cx')
if action == 'cancel' then
	call('HSET', key, 'cx', 1) -- by a person: no poll wakes it (intake.lua)
	call('ZREM', P .. 'q:delayed', id)
	call('ZREM', P .. 'q:c:' .. conn, id)
else
	if action == 'resend' then
		next_generation(conn, id)
	elseif action == 'arrived' then
		local step = '.' .. (call('HGET', key, 'g') or '1') .. '.' .. ARGV[9]
		call('HSETNX', key, 'i' .. step, now)
		call('HSET', key, 'o' .. step, ARGV[10], 'dl', 1)
	end
	call('ZREM', P .. 'q:c:' .. conn, id)
	if to == 'following' then
		call('HSET', key, 'fv', 1) -- somebody wants to know now, paused or not
	end
	local is_about_sent = to == 'following' or call('HEXISTS', key, 'fv') == 1
	enqueue(conn, id, is_about_sent and is_paused(conn) and VERDICT_PLACE or 2)
	wake()
end
call('HSET', key, 'st', to, 'ua', now)
index(conn, id, from, to, now)
call('RPUSH', P .. 'tl:' .. id, ARGV[7])
call('LTRIM', P .. 'tl:' .. id, -200, -1)
return call('HINCRBY', key, 'rv', 1)
