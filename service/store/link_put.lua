-- link_put.lua: links that were made or found on the way of a document. ARGV: prefix, epoch, table, then left, right, sealed rest
-- per link. Answers EPOCH, or how many were put.
if not knows_all(ARGV[2]) then
	return EPOCH
end
local n = 0
for a = 4, #ARGV, 3 do
	if put_link(ARGV[3], ARGV[a], ARGV[a + 1], ARGV[a + 2]) then
		n = n + 1
	end
end
return n
