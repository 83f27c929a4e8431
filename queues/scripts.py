"""What Redis does by itself, in one round trip however many stocks: wake them, and take those that are ready.

Keys of several stocks meet in one script, and TAKE finds the queues' names as it goes: this asks for one Redis (or one
primary with replicas), not for Redis Cluster.
"""

OWN = """
local function own(key, command, ...)
    local found = redis.pcall(command, key, ...)
    if type(found) == 'table' and found.err then
        redis.call('DEL', key)
        found = redis.call(command, key, ...)
    end
    return found
end
local function many(list, step, take)
    for first = 1, #list, step do take(unpack(list, first, math.min(first + step - 1, #list))) end
end
"""
"""A key of ours that somebody has written something else to begins anew: it held nothing that cannot be lost.

Each call costs as much as what it does, so what can be is done for all stocks in one, as far as one permission has all
the keys; `many` keeps below what Lua takes.
"""

WAKE = (
    OWN
    + """
local again, seconds, moment, score = ARGV[1] == '1', ARGV[2], ARGV[3], ARGV[4]
local ready_sets, ready, queues = {}, {}, {}
local woken = 0
for n = 0, (#KEYS - 1) / 4 - 1 do
    local flag, queue, ready_set, job = KEYS[4 * n + 2], KEYS[4 * n + 3], KEYS[4 * n + 4], KEYS[4 * n + 5]
    local symbol, id, packed = ARGV[3 * n + 5], ARGV[3 * n + 6], ARGV[3 * n + 7]
    local asleep
    if again then
        asleep = redis.call('SET', flag, 1, 'EX', seconds)
    else
        asleep = redis.call('SET', flag, 1, 'NX', 'EX', seconds)
    end
    if asleep then
        if own(queue, 'LLEN') == 0 then
            redis.call('HSET', job, 'created_at', moment, 'enqueued_at', moment, unpack(cmsgpack.unpack(packed)))
            redis.call('RPUSH', queue, id)
            queues[#queues + 1] = queue
        end
        local members = ready[ready_set]
        if not members then
            members = {}
            ready[ready_set] = members
            ready_sets[#ready_sets + 1] = ready_set
        end
        members[#members + 1] = score
        members[#members + 1] = symbol
        woken = woken + 1
    end
end
for _, ready_set in ipairs(ready_sets) do
    many(ready[ready_set], 1000, function(...) own(ready_set, 'ZADD', 'NX', ...) end)
end
many(queues, 1000, function(...) redis.pcall('SADD', KEYS[1], ...) end)
return woken
"""
)
"""KEYS: RQ's set of queues; for each stock its flag, queue, ready_set and the key of its job-to-be.

ARGV: whether to wake stocks that are awake too, how long a flag lives (seconds), the time as RQ writes it and as
seconds since 1970; for each stock its symbol, the job's id, and the job's other fields (`packed_job`).
Answers how many were asleep. A stock whose queue holds a job gets no second one: suspended workers take none.
"""

TAKE = (
    OWN
    + """
local most, flag, queue, job = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local symbols = own(KEYS[1], 'ZPOPMIN', 1000000)
local wanted, known = {}, {}
local function want(symbol)
    if not known[symbol] then
        known[symbol] = true
        wanted[#wanted + 1] = symbol
    end
end
for n = 5, #ARGV do want(ARGV[n]) end
for n = 1, #symbols, 2 do want(symbols[n]) end
local flags, jobs = {}, {}
for _, symbol in ipairs(wanted) do
    flags[#flags + 1] = flag .. symbol
    for _, id in ipairs(own(queue .. symbol, 'LPOP', most) or {}) do
        jobs[#jobs + 1] = job .. id
    end
end
local function gone(...) redis.call('DEL', ...) end
many(flags, 1000, gone)
many(jobs, 1000, gone)
if #jobs > 0 and KEYS[2] then
    redis.pcall('HINCRBY', KEYS[2], 'successful_job_count', #jobs)
end
return wanted
"""
)
"""KEYS: the group's ready_set; the hash of the worker that is to be credited, if any.

ARGV: how many jobs to take off one queue, how the keys of flags, queues and jobs begin; symbols to take, ready or not.
Answers all symbols taken, those of ARGV first, then the longest ready first.
"""

WAKE_KEYED = """
local seconds, moment = ARGV[1], ARGV[2]
local ids = {}
for n = 0, (#KEYS - 2) / 2 - 1 do
    local flag, job, id, packed = KEYS[2 * n + 3], KEYS[2 * n + 4], ARGV[2 * n + 3], ARGV[2 * n + 4]
    if redis.call('SET', flag, 1, 'NX', 'EX', seconds) then
        redis.call('DEL', job)
        redis.call('HSET', job, 'created_at', moment, 'enqueued_at', moment, unpack(cmsgpack.unpack(packed)))
        ids[#ids + 1] = id
    end
end
if #ids > 0 then
    local queued = redis.pcall('RPUSH', KEYS[2], unpack(ids))
    if type(queued) == 'table' and queued.err then
        redis.call('DEL', KEYS[2])
        redis.call('RPUSH', KEYS[2], unpack(ids))
    end
    redis.pcall('SADD', KEYS[1], KEYS[2])
end
return #ids
"""
"""KEYS: RQ's set of queues, the queue; for each thing its flag and the key of its job.

ARGV: how long a flag lives (seconds), the time as RQ writes it; for each thing the job's id and other fields. Answers
how many had no job waiting.
"""

QUEUED = """
local found = {}
for n = 2, #ARGV do
    if redis.call('EXISTS', ARGV[1] .. ARGV[n]) == 1 then
        found[#found + 1] = ARGV[n]
    end
end
return found
"""
"""ARGV: how the keys of queues begin; symbols. Answers those whose queue holds a job."""
