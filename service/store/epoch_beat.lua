-- epoch_beat.lua: each second by each relay: the epoch as it stands, and a count that only this relay moves. A Redis that went
-- back in time (a promoted replica, a restored file) holds a lower count than the relay remembers; then it is left alone.
-- ARGV: prefix, relay id, count that it remembers. Answers {epoch id or '', born ms, restored, run id noted with it, version
-- that was put back, version of connections and tokens, count found, count now, run id of this server, now ms}.
local KEPT_MS = 90 * 86400000
local e = call('HMGET', P .. 'epoch', 'id', 'born', 'restored', 'run', 'from')
local key = P .. 'beat:' .. ARGV[2]
local found, count = tonumber(call('GET', key) or 0), tonumber(ARGV[3])
if e[1] and found >= count then
	count = found + 1
	call('SET', key, count, 'PX', KEPT_MS)
end
return { e[1] or '', e[2] or '0', e[3] or '0', e[4] or '', e[5] or '0', call('GET', P .. 'conns:ver') or '0', found, count,
	server_run(), now_ms() }
