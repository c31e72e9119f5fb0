-- token_put.lua: ARGV: prefix, epoch, hash, document ('': revoke). Answers EPOCH, 1: changed, 0: stood already, or was not there.
if not knows_all(ARGV[2]) then
	return EPOCH
end
local key = P .. 'tok:' .. ARGV[3]
if ARGV[4] == '' then
	if call('DEL', key) == 0 then
		return 0
	end
	call('SREM', P .. 'toks', ARGV[3])
	-- A vault that still has it must not put it back.
	call('SADD', P .. 'gone', ARGV[3])
else
	if call('HSETNX', key, 'doc', ARGV[4]) == 0 then
		return 0
	end
	call('SADD', P .. 'toks', ARGV[3])
	call('SREM', P .. 'gone', ARGV[3])
end
call('INCR', P .. 'conns:ver')
return 1
