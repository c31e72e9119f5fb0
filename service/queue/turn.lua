-- turn.lua: stores outcomes, then claims jobs, which may be those that the outcomes made room for. One script, so that Redis
-- goes to the disk once for both.
-- ARGV: prefix, epoch, moves (',from>to,from>to,'), most jobs to claim (0: none), lease ms, batch (see claim.lua), then the
-- outcomes (see finish.lua). Answers {letters of the outcomes, jobs}, with EPOCH instead of jobs where Redis does not have the
-- epoch, and EPOCH alone when there were no outcomes.
local MOVES, MAX_JOBS, LEASE_MS, BATCH = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local FIRST_OUTCOME = 7
local HELD = P .. 'q:held'
local now = now_ms()
local NOW = string.format('%.0f', now) -- Redis turns a number into text much more slowly

-- Asks the state table, each move once.
local asked = {}
local function may_move(from, to)
	local move = from .. '>' .. to
	if asked[move] == nil then
		asked[move] = string.find(MOVES, ',' .. move .. ',', 1, true) ~= nil
	end
	return asked[move]
end

-- include finish
-- include claim
local letters = finish_all(FIRST_OUTCOME)
if MAX_JOBS == 0 then
	return { letters, {} }
end
if knows_all(ARGV[2]) then
	return { letters, claim_all(MAX_JOBS) }
end
return letters == '' and EPOCH or { letters, EPOCH }
