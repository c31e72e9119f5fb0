-- finish.lua, a part of turn.lua: stores outcomes, ends leases, frees limit slots. Per job its record and timeline are written;
-- leases, slots and indexes once per call.
-- In ARGV per outcome: id, fence, head, with 'e' error code and JSON, with 'f' fingerprint, with 'h' content hash, with 'r'
-- result, with 'v' the verdict's word, the timeline entries. A head is mode ('s' state, 'k' keep, 'b' back) and letters ('d'
-- delivered, 'a' needs data and awaits its verdict, and those above), state, delay ms or -1, number of entries, and how long it is watched in ms, where it is asked
-- for in rounds of follow-up (0: until the verdict comes; the delay is the interval then); jobs that ended alike have the same.
-- Answers a letter per outcome: F stored, S stale, I illegal.
local MAX_ENTRIES, FALLBACK_MS = 200, 60000
local NEEDS_DUE = { waiting = true, retrying = true, in_doubt = true, following = true }
local AT_REST = { done = true, needs_data = true, skipped = true, cancelled = true, waiting = true, following = true }
local GOES_ON = { queued = true, retrying = true, in_doubt = true, waiting = true }
local any = false
local gone, batches, slots, left, entered, rounds = {}, {}, {}, {}, {}, {}

local function list_of(lists, name)
	local list = lists[name]
	if not list then
		list = {}
		lists[name] = list
	end
	return list
end

-- Tables by two keys: what is decided once for many jobs.
local function memo(cache, a, b)
	local by_a = cache[a]
	if not by_a then
		by_a = {}
		cache[a] = by_a
	end
	return by_a[b], by_a
end

local function push(list, value)
	list[#list + 1] = value
end

local function push_pair(list, name, value)
	list[#list + 1] = name
	list[#list + 1] = value
end

local function end_lease(id, fence, keys)
	local batch = batch_of(fence)
	gone[#gone + 1] = id
	batches[batch] = (batches[batch] or 0) + 1
	if keys ~= '' then
		for key in string.gmatch(keys, '[^\n]+') do
			push(list_of(slots, key), id)
		end
	end
end

-- The texts of an outcome begin behind its head. again: it was ordered once more while it ran.
local function finish_task(id, h, conn, text, again)
	local key = P .. 'j:' .. id
	if h.mode == 'b' then
		call('HSET', key, 'st', 'queued', 'ua', NOW)
		call('PEXPIRE', key, math.max(3600000, h.wait + 600000))
		delay(conn, id, now + math.max(0, h.wait))
		return
	end
	if again then
		call('HSET', key, 'st', 'queued', 'ua', NOW)
		call('PEXPIRE', key, 3600000)
		enqueue(conn, id)
		any = true
		return
	end
	local good = h.mode == 'k' or h.state == 'done'
	local failure = h.error and ARGV[text + 1] or ''
	call('HSET', key, 'st', good and 'done' or 'failed', 'r', h.result and ARGV[text + h.result] or '', 'e', failure, 'ua', NOW)
	call('PEXPIRE', key, 3600000)
end

-- Timelines keep the newest entries.
local function note(id, first, n)
	local key = P .. 'tl:' .. id
	local length = n == 1 and call('RPUSH', key, ARGV[first]) or call('RPUSH', key, unpack(ARGV, first, first + n - 1))
	if length > MAX_ENTRIES then
		call('LTRIM', key, -MAX_ENTRIES, -1)
	end
end

local function has(had, letter)
	return string.find(had, letter, 2, true)
end

-- Where a stored outcome leads, queued at once or delayed: sets to, queue or wait of the plan.
local function place(plan, h, again)
	local to, wait = plan.to, h.wait
	if again and to ~= 'in_doubt' and to ~= 'following' and to ~= 'retrying' then
		if to == 'skipped' or to == 'cancelled' or to == 'waiting' or to == 'system_fault' then
			plan.to, plan.anew = 'queued', true
		end
		plan.queue = true
		return
	end
	if h.watch then
		return -- its next time is that of a round
	end
	if NEEDS_DUE[to] and wait < 0 then
		wait = FALLBACK_MS
	end
	if to == 'queued' and wait <= 0 then
		plan.queue = true
	elseif wait >= 0 then
		plan.wait, plan.due = wait, string.format('%.0f', now + wait)
	end
end

-- The move, and what the queue does with it.
local function move(plan, h, was, again)
	plan.letter, plan.to = 'F', was
	if h.mode == 'b' then
		if h.wait <= 0 then
			plan.queue = true
		else
			plan.wait = h.wait
		end
		return
	end
	-- What is done or needs data stands while somebody looks again.
	local from = (was == 'done' or was == 'needs_data') and was or 'running'
	if h.mode == 's' then
		if from ~= h.state and not may_move(from, h.state) then
			-- A bug of ours: the record stays as it was, and does not run in circles.
			plan.letter = 'I'
			plan.wait = (was == 'queued' or NEEDS_DUE[was]) and FALLBACK_MS or nil
			return
		end
		plan.to = h.state
	end
	place(plan, h, again)
end

-- Fields to set (name, value, ...) and to drop, but for the texts of the outcome.
local function fields(plan, h, claimed)
	local set, drop, to, had = plan.set, plan.drop, plan.to, claimed.had
	push_pair(set, 'try', h.mode == 'b' and tostring(claimed.try - 1) or claimed.try)
	if plan.facts and not h.error and has(had, 'e') then
		push_pair(drop, 'ec', 'e')
	end
	if plan.due then
		push_pair(set, 'due', plan.due)
	elseif has(had, 'd') then
		push(drop, 'due')
	end
	if AT_REST[to] or plan.anew then
		if has(had, 't') then
			push(drop, 'ft')
		end
	elseif not has(had, 't') then
		push_pair(set, 'ft', claimed.first)
	end
	if h.mode ~= 'b' and has(had, 'l') then
		push(drop, 'lost')
	end
	if h.delivered then
		push_pair(set, 'dl', '1')
	end
	if to ~= claimed.was or (h.mode == 's' and to ~= 'following') then
		push_pair(set, 'st', to)
		push_pair(set, 'ua', NOW)
		push_pair(set, 'rv', tostring(claimed.rev + 1))
		local a, b, ix = bucket(claimed.was), bucket(to), P .. 'ix:' .. claimed.conn .. ':'
		plan.left = a ~= b and list_of(left, ix .. a)
		plan.entered = list_of(entered, ix .. b)
	end
end

-- Does it need data, and has been sent, and its verdict is to come? Then each of its runs is about that. One that left all as it
-- was leaves that, too.
local function awaits_verdict(plan, h, claimed)
	if plan.to ~= 'needs_data' or plan.letter == 'I' then
		return false
	end
	return h.mode == 's' and h.awaits or h.mode == 'k' and has(claimed.had, 'v')
end

-- The news that this run was to judge. Kept while it goes on; a run that judged nothing, since what is done stands, leaves them
-- to be found anew.
local function settle_news(plan, h, claimed)
	local runs_again = h.mode == 's' and plan.to == 'following' and not h.watch
	if plan.awaits then
		plan.verdict = true
		push_pair(plan.set, 'fv', '1')
		push_pair(plan.set, 'fa', NOW)
	end
	if plan.awaits or not has(claimed.had, 'v') or runs_again then
		return
	end
	if h.mode == 'b' or plan.letter == 'I' or GOES_ON[plan.to] then
		plan.verdict = true
		return
	end
	push(plan.drop, 'fv')
	if h.mode == 'k' then
		push(plan.drop, 'fw')
	end
end

-- Into the next round, until the watch is over at the latest.
local function settle_round(plan, h, claimed)
	local conn, set = claimed.conn, plan.set
	local due = follow_due(conn, h.wait > 0 and h.wait or FALLBACK_MS, now)
	if plan.to == 'done' and not (claimed.was == 'done' and has(claimed.had, 'u')) then
		plan.till = string.format('%.0f', now + h.watch)
		plan.watched = list_of(entered, P .. 'ix:' .. conn .. ':watched')
		push_pair(set, 'fu', plan.till)
		due = math.min(due, now + h.watch)
	end
	plan.round = string.format('%.0f', due)
	plan.asked = list_of(entered, P .. 'q:fo:' .. conn)
	push_pair(set, 'fd', plan.round)
	rounds[conn] = math.min(rounds[conn] or due, due)
end

-- Follow-up: what is asked for in rounds is planned for the next, what was is taken out of them.
local function settle_follow(plan, h, claimed)
	local to, was_followed = plan.to, has(claimed.had, 'w')
	local is_over = claimed.was == 'done' and was_followed and not has(claimed.had, 'u')
	if h.mode ~= 's' or plan.letter == 'I' or (is_over and to == 'done') then
		return
	end
	if to == 'following' or (h.watch and to == 'done') then
		push_pair(plan.set, was_followed and 'fa' or 'fs', NOW)
	elseif plan.awaits and not was_followed then
		push_pair(plan.set, 'fs', NOW)
	end
	if h.watch and (to == 'following' or to == 'done') then
		settle_round(plan, h, claimed)
	elseif to == 'following' then
		push_pair(plan.set, 'fv', '1') -- run again by itself, paused or not
	elseif was_followed and to ~= claimed.was then
		plan.unasked = list_of(left, P .. 'q:fo:' .. claimed.conn)
		plan.unwatched = list_of(left, P .. 'ix:' .. claimed.conn .. ':watched')
		push(plan.drop, 'fd')
		push(plan.drop, 'fu')
	end
end

-- What becomes of jobs that were claimed alike and ended alike is decided once.
local plans = { [true] = {}, [false] = {} }
local function plan_of(claimed, h, again)
	local plan, by_claimed = memo(plans[again], claimed, h)
	if not plan then
		plan = { set = {}, drop = {} }
		move(plan, h, claimed.was, again)
		plan.facts = h.mode == 's' and plan.letter == 'F'
		plan.awaits = awaits_verdict(plan, h, claimed)
		fields(plan, h, claimed)
		settle_news(plan, h, claimed)
		settle_follow(plan, h, claimed)
		by_claimed[h] = plan
	end
	return plan
end

-- What only this outcome says.
local function take_texts(key, h, text)
	if h.error then
		call('HSET', key, 'ec', ARGV[text], 'e', ARGV[text + 1])
	end
	if h.fingerprint then
		call('HSET', key, 'fp', ARGV[text + h.fingerprint])
	end
	if h.hash then
		call('HSET', key, 'hash', ARGV[text + h.hash])
	end
	if h.word then
		call('HSET', key, 'fw', ARGV[text + h.word])
	end
end

local function list_follow(plan, id, conn)
	if plan.asked and call('HDEL', P .. 't:' .. id, 'fh') == 1 then -- the target had news meanwhile
		call('HSET', P .. 't:' .. id, 'fd', NOW)
		push_pair(plan.asked, NOW, id)
		rounds[conn] = now
	elseif plan.asked then
		push_pair(plan.asked, plan.round, id)
	end
	if plan.watched then
		push_pair(plan.watched, plan.till, id)
	end
	if plan.unasked then
		push(plan.unasked, id)
		push(plan.unwatched, id)
		if not plan.awaits then
			drop_target_key(conn, id)
		end
	end
end

local function finish(id, fence, h, text, value)
	local held_fence, claimed, again = read_held(value)
	if held_fence ~= fence then
		return 'S'
	end
	local conn = claimed.conn
	end_lease(id, fence, claimed.keys)
	if is_task(id) then
		finish_task(id, h, conn, text, again)
		return 'F'
	end
	local plan, key = plan_of(claimed, h, again), P .. 't:' .. id
	if h.n > 0 then
		note(id, text + h.texts, h.n)
	end
	call('HSET', key, unpack(plan.set))
	if plan.facts and h.texts > 0 then
		take_texts(key, h, text)
	end
	if plan.drop[1] then
		call('HDEL', key, unpack(plan.drop))
	end
	if plan.queue then
		(plan.verdict and enqueue_verdict or enqueue)(conn, id)
		any = true
	elseif plan.wait then
		delay(conn, id, now + plan.wait)
	end
	local list = plan.left
	if list then
		list[#list + 1] = id
	end
	list = plan.entered
	if list then
		list[#list + 1] = NOW
		list[#list + 1] = id
	end
	if plan.asked or plan.unasked then
		list_follow(plan, id, conn)
	end
	return plan.letter
end

-- error, fingerprint, hash, result: where that text stands behind the head, if it does.
local heads = {}
local function head_of(head)
	local h = heads[head]
	if not h then
		local mode, letters, state, wait, n, watch = string.match(head, '^(%a)(%a*) (%S+) (%-?%d+) (%d+) ?(%d*)$')
		h = { mode = mode, state = state, wait = tonumber(wait), n = tonumber(n), watch = tonumber(watch), texts = 0,
			delivered = string.find(letters, 'd', 1, true) and true, awaits = string.find(letters, 'a', 1, true) and true }
		for letter, name in string.gmatch('e=error f=fingerprint h=hash r=result v=word', '(%a)=(%a+)') do
			if string.find(letters, letter, 1, true) then
				h[name] = h.texts
				h.texts = h.texts + (letter == 'e' and 2 or 1)
			end
		end
		heads[head] = h
	end
	return h
end

-- The outcomes behind `first`: ids, fences, heads, and where the texts of each begin.
local function read_outcomes(first)
	local ids, fences, ends, texts = {}, {}, {}, {}
	local a, n, last = first, 0, #ARGV
	while a <= last do
		local h = head_of(ARGV[a + 2])
		n = n + 1
		ids[n], fences[n], ends[n], texts[n] = ARGV[a], ARGV[a + 1], h, a + 3
		a = a + 3 + h.texts + h.n
	end
	return ids, fences, ends, texts
end

-- What is written once for all.
local function write_lists()
	if gone[1] then
		call('HDEL', HELD, unpack(gone))
	end
	for batch, count in pairs(batches) do
		let_go(batch, count)
	end
	for key, list in pairs(left) do
		call('ZREM', key, unpack(list))
	end
	for key, list in pairs(entered) do
		call('ZADD', key, unpack(list))
	end
	for conn, first in pairs(rounds) do
		call('ZADD', P .. 'q:follow', 'LT', first, conn)
	end
	for key, list in pairs(slots) do
		any = free_slots(key, list) or any
	end
	if any then
		wake()
	end
end

local function finish_all(first)
	local ids, fences, ends, texts = read_outcomes(first)
	if not ids[1] then
		return ''
	end
	local answer, ended = {}, {}
	for i, value in ipairs(call('HMGET', HELD, unpack(ids))) do
		local id, letter = ids[i], 'S'
		if value and not ended[id] then
			letter = finish(id, fences[i], ends[i], texts[i], value)
			ended[id] = letter ~= 'S'
		end
		answer[i] = letter
	end
	write_lists()
	return table.concat(answer)
end
