-- counts.lua: ARGV: prefix, number of buckets, the buckets, the connections. Answers the numbers, bucket by bucket per
-- connection.
local n = tonumber(ARGV[2])
local answer = {}
for a = 3 + n, #ARGV do
	for b = 3, 2 + n do
		answer[#answer + 1] = call('ZCARD', P .. 'ix:' .. ARGV[a] .. ':' .. ARGV[b])
	end
end
return answer
