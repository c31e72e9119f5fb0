-- follow_counts.lua: follow-up of connections. ARGV: prefix, connections. Answers {now, then per connection how many are pending,
-- how many are watched, since when the oldest pending one is ('0': none), when the next round is ('0': none), ...}.
local answer = { now_ms() }
for a = 2, #ARGV do
	local pending, watched = P .. 'ix:' .. ARGV[a] .. ':following', P .. 'ix:' .. ARGV[a] .. ':watched'
	local oldest, next_round = call('ZRANGE', pending, 0, 0, 'WITHSCORES'), call('ZRANGE', P .. 'q:fo:' .. ARGV[a], 0, 0, 'WITHSCORES')
	answer[#answer + 1] = call('ZCARD', pending)
	answer[#answer + 1] = call('ZCARD', watched)
	answer[#answer + 1] = oldest[2] or '0'
	answer[#answer + 1] = next_round[2] or '0'
end
return answer
