-- blocks.lua: what vendors have asked us to leave alone. ARGV: prefix. Answers {key, until ms, ...}.
local answer = {}
for _, text in ipairs(call('ZRANGEBYSCORE', P .. 'q:blocks', '(' .. now_ms(), '+inf', 'WITHSCORES')) do
	answer[#answer + 1] = text
end
return answer
