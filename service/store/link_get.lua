-- link_get.lua: links of a page of records, and what is open of them. ARGV: prefix, table, side ('L'/'R'), run or '', then ids of
-- that side. Answers {now, and per id: left id, link or '', intent or '', '1' when the run has settled it}. A link is its right
-- id, a line feed, and the sealed rest.
local links, side, run = ARGV[2], ARGV[3], ARGV[4]
local ids, fields = {}, {}
for a = 5, #ARGV do
	ids[#ids + 1] = ARGV[a]
	fields[#fields + 1] = side .. ARGV[a]
end
local answer = { string.format('%.0f', now_ms()) }
if not ids[1] then
	return answer
end

local lefts = ids
if side == 'R' then
	lefts = call('HMGET', P .. 'lr:' .. links, unpack(ids))
	for i = 1, #ids do
		lefts[i] = lefts[i] or ''
	end
end
local rest = call('HMGET', P .. 'lk:' .. links, unpack(lefts))
local intents = call('HMGET', P .. 'li:' .. links, unpack(fields))
local page, before = {}, {}
if run ~= '' then
	page = call('SMISMEMBER', P .. 'run:' .. run .. ':p', unpack(ids))
	before = call('SMISMEMBER', P .. 'run:' .. run .. ':a', unpack(ids))
end
for i = 1, #ids do
	local n = #answer
	answer[n + 1] = lefts[i]
	answer[n + 2] = rest[i] or ''
	answer[n + 3] = intents[i] or ''
	answer[n + 4] = (page[i] == 1 or before[i] == 1) and '1' or ''
end
return answer
