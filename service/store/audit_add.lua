-- audit_add.lua: ARGV: prefix, sealed entry. The newest 10,000 stay.
call('LPUSH', P .. 'audit', ARGV[2])
call('LTRIM', P .. 'audit', 0, 9999)
return 1
