"""What Redis does by itself, in one round trip however many stocks: wake them, and take those that are ready.

Keys of several stocks meet in one script, and TAKE finds the queues' names as it goes: this asks for one Redis (or one
primary with replicas), not for Redis Cluster.
"""

OWN = """
local function own(key, kind)
    local found = redis.call('TYPE', key).ok
    if found ~= kind and found ~= 'none' then redis.call('DEL', key) end
end
"""
"""A key of ours that somebody has written something else to begins anew: it held nothing that cannot be lost."""

WAKE = (
    OWN
    + """
local again, seconds, moment, score = ARGV[1] == '1', ARGV[2], ARGV[3], ARGV[4]
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
        own(queue, 'list')
        own(ready_set, 'zset')
        if redis.call('LLEN', queue) == 0 then
            redis.call('HSET', job, 'created_at', moment, 'enqueued_at', moment, unpack(cmsgpack.unpack(packed)))
            redis.pcall('SADD', KEYS[1], queue)
            redis.call('RPUSH', queue, id)
        end
        redis.call('ZADD', ready_set, 'NX', score, symbol)
        woken = woken + 1
    end
end
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
own(KEYS[1], 'zset')
local symbols = redis.call('ZPOPMIN', KEYS[1], 1000000)
local wanted, known = {}, {}
local function want(symbol)
    if not known[symbol] then
        known[symbol] = true
        wanted[#wanted + 1] = symbol
    end
end
for n = 5, #ARGV do want(ARGV[n]) end
for n = 1, #symbols, 2 do want(symbols[n]) end
local jobs = 0
for _, symbol in ipairs(wanted) do
    redis.call('DEL', flag .. symbol)
    own(queue .. symbol, 'list')
    for _, id in ipairs(redis.call('LPOP', queue .. symbol, most) or {}) do
        redis.call('DEL', job .. id)
        jobs = jobs + 1
    end
end
if jobs > 0 and KEYS[2] then
    redis.pcall('HINCRBY', KEYS[2], 'successful_job_count', jobs)
end
return wanted
"""
)
"""KEYS: the group's ready_set; the hash of the worker that is to be credited, if any.

ARGV: how many jobs to take off one queue, how the keys of flags, queues and jobs begin; symbols to take, ready or not.
Answers all symbols taken, those of ARGV first, then the longest ready first.
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
