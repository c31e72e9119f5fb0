-- run_hold.lua, a part of the scripts that a slice of a register run writes with: does the slice still hold its task and its run?
-- ARGV: prefix, connection, task, fence, lease ms, run. Its lease is extended as by a step.
local conn, task, fence, lease, run = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
local now = now_ms()
local NOW = string.format('%.0f', now)
local RUN = P .. 'run:' .. run
local HELD_ARGS = 6

local function is_ours()
	local held = call('HGET', P .. 'q:held', task)
	if not held or read_held(held) ~= fence or not call('ZSCORE', P .. 'q:leases', batch_of(fence)) then
		return false
	end
	call('ZADD', P .. 'q:leases', 'XX', now + lease, batch_of(fence))
	return run == '' or call('HGET', P .. 'runs:act', conn) == run
end
