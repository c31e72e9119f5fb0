-- epoch_get.lua: answers {epoch id or '', born ms, restored, run id, version of connections and tokens}.
local e = call('HMGET', P .. 'epoch', 'id', 'born', 'restored', 'run')
return { e[1] or '', e[2] or '0', e[3] or '0', e[4] or '', call('GET', P .. 'conns:ver') or '0' }
