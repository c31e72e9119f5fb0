-- block.lua: a vendor asked to wait; the longest wait holds. ARGV: prefix, key, ms.
call('ZADD', P .. 'q:blocks', 'GT', now_ms() + tonumber(ARGV[3]), ARGV[2])
return 0
