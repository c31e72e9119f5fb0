-- wake_waiting.lua: transfers of a connection that wait for something are due at once. ARGV: prefix, connection.
wake_waiting(ARGV[2], now_ms())
wake()
return { ok = 'OK' }
