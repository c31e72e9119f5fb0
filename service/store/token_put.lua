-- token_put.lua: ARGV: prefix, hash, document ('': revoke). Answers 1: changed, 0: stood already, or was not there.
local key = P .. 'tok:' .. ARGV[2]
if ARGV[3] == '' then
	if call('DEL', key) == 0 then
		return 0
	end
	call('SREM', P .. 'toks', ARGV[2])
	-- A vault that still has it must not put it back.
	call('SADD', P .. 'gone', ARGV[2])
else
	if call('HSETNX', key, 'doc', ARGV[3]) == 0 then
		return 0
	end
	call('SADD', P .. 'toks', ARGV[2])
	call('SREM', P .. 'gone', ARGV[2])
end
call('INCR', P .. 'conns:ver')
return 1
