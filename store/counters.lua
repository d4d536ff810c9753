-- Sliding windows in Redis: the algorithm of fraud/window.py and fraud/counters.py, step by step.
--
-- ARGV[1]  "decide", "take_back" or "restore"
-- ARGV[2]  JSON, written by store/counters.py
-- ARGV[3]  how long a decision is remembered at least, ms
-- ARGV[4]  how long it is once its message is durable, ms
-- KEYS     decide, restore: the windows; take_back: the messages
--
-- A window is a MessagePack array of last, length, amount, last, length, amount ...; a message is one of
-- at, decision, and per window counted: key, span (as below), amount. Numbers are whole and below 2^53
-- (store/counters.py sees to that), so a double holds them exactly.
--
-- One that comes behind newer ones sees them too.
--
-- Rule: a change here is a change there; tests/store/test_counters.py holds the two together.

local EXACT = 1000
-- The clock of acceptance is another than ours.
local SLACK = 60000
local action, input, remember_ms, known_ms = ARGV[1], cjson.decode(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local windows = {}

-- A span is {window_ms, keep_ms, bucket_ms, full}.
local function sum_anew(w, span)
  local cut, e = w.at - span[1], w.entries
  w.edge, w.total = 1, 0
  for i = 1, #e, 3 do
    if e[i] <= cut then w.edge = i + 3 else w.total = w.total + e[i + 2] end
  end
end

local function window(key, span)
  local w = windows[key]
  if not w then
    local packed = redis.call('GET', key)
    w = {entries = packed and cmsgpack.unpack(packed) or {}, span = span, at = 0}
    if #w.entries > 0 then w.at = w.entries[#w.entries - 2] end
    sum_anew(w, span)
    windows[key] = w
  end
  return w
end

-- The clock was set back: what lies ahead is now.
local function set_back(w, at, span)
  local e = w.entries
  for i = #e - 2, 1, -3 do
    if e[i] <= at then break end
    e[i], e[i + 1] = at, math.max(0, at - (e[i] - e[i + 1]))
  end
  w.at, w.changed = at, true
  sum_anew(w, span)
end

local function sum_at(w, at, span)
  local cut, e = at - span[1], w.entries
  if at >= w.at then
    w.at = at
    while w.edge <= #e and e[w.edge] <= cut do
      w.total = w.total - e[w.edge + 2]
      w.edge = w.edge + 3
    end
    return w.total
  end
  if #e > 0 and e[#e - 2] - at > span[2] - span[1] then
    set_back(w, at, span)
    return w.total
  end
  local total = w.total
  for i = w.edge - 3, 1, -3 do
    if e[i] <= cut then break end
    total = total + e[i + 2]
  end
  return total
end

local function drop_until(w, moment)
  local e, kept = w.entries, {}
  local first = 1
  while first <= #e and e[first] <= moment do
    if first >= w.edge then w.total = w.total - e[first + 2] end
    first = first + 3
  end
  for i = first, #e do kept[#kept + 1] = e[i] end
  w.entries, w.edge = kept, math.max(1, w.edge - first + 1)
end

local function compact(w, span)
  local e, width, merged = w.entries, span[3], {}
  local newest = #e - 3 * EXACT
  for i = 1, newest, 3 do
    local last, length, amount, m = e[i], e[i + 1], e[i + 2], #merged
    if m > 0 and math.floor(merged[m - 2] / width) == math.floor(last / width) then
      local first = math.min(merged[m - 2] - merged[m - 1], last - length)
      merged[m - 2], merged[m - 1], merged[m] = last, last - first, merged[m] + amount
    else
      merged[m + 1], merged[m + 2], merged[m + 3] = last, length, amount
    end
  end
  for i = newest + 1, #e do merged[#merged + 1] = e[i] end
  w.entries = merged
  sum_anew(w, span)
end

local function add(w, at, amount, span)
  local e = w.entries
  local n = #e
  w.changed = true
  if n > 0 and at < w.at and at < e[n - 2] then
    local place = n + 1
    while place > 1 and e[place - 3] > at do place = place - 3 end
    for i = n, place, -1 do e[i + 3] = e[i] end
    e[place], e[place + 1], e[place + 2] = at, 0, amount
    if #e >= 3 * span[4] then compact(w, span) end
    return sum_anew(w, span)
  end
  e[n + 1], e[n + 2], e[n + 3] = at, 0, amount
  if at > w.at - span[1] then w.total = w.total + amount else w.edge = #e + 1 end
  if e[1] <= at - span[2] then drop_until(w, at - span[2]) end
  if #w.entries >= 3 * span[4] then compact(w, span) end
end

local function remove(w, at, amount, span)
  local e, bucket = w.entries, nil
  for i = #e - 2, 1, -3 do
    if e[i] < at then break end
    if e[i] == at and e[i + 1] == 0 and e[i + 2] == amount then
      for _ = 1, 3 do table.remove(e, i) end
      w.changed = true
      return sum_anew(w, span)
    end
    if e[i] - e[i + 1] <= at and e[i + 2] >= amount then bucket = i end
  end
  if bucket then
    e[bucket + 2] = e[bucket + 2] - amount
    w.changed = true
    sum_anew(w, span)
  end
end

local function save()
  for key, w in pairs(windows) do
    if w.changed and #w.entries > 0 then
      redis.call('SET', key, cmsgpack.pack(w.entries), 'PX', string.format('%.0f', w.span[2] + SLACK))
    elseif w.changed then
      redis.call('DEL', key)
    end
  end
end

-- A message is remembered as long as it counts anywhere: until then it may have to be taken back.
local function remember(message, decision, record)
  local keep = remember_ms
  for _, c in ipairs(record) do keep = math.max(keep, c[2][2] + SLACK) end
  redis.call('SET', message[1], cmsgpack.pack({message[2], decision, record}), 'PX', string.format('%.0f', keep))
end

-- input: {bounds = {{span, threshold, rejects}}, messages = {{key of the message, at, bound, window, amount, ...}},
-- kept = {keys of messages that are durable}}, bounds and windows by their place.
-- The answer: per message the places of the checks that spoke, "1,3".
local function decide_one(message, bounds)
  local at, spoke, counted = message[2], {}, {}
  for i = 3, #message, 3 do
    local bound, key, amount = bounds[message[i]], KEYS[message[i + 1]], message[i + 2]
    local w = window(key, bound[1])
    if sum_at(w, at, bound[1]) + amount > bound[2] then
      if bound[3] then return tostring(i / 3), {} end
      spoke[#spoke + 1] = i / 3
    end
    counted[#counted + 1] = {w, amount, bound[1], key}
  end
  local record = {}
  for _, c in ipairs(counted) do
    if c[2] > 0 then
      add(c[1], at, c[2], c[3])
      record[#record + 1] = {c[4], c[3], c[2]}
    end
  end
  return table.concat(spoke, ','), record
end

local function decide()
  local answers = {}
  for _, message in ipairs(input.kept) do redis.call('PEXPIRE', message, known_ms) end
  for place, message in ipairs(input.messages) do
    local known = redis.call('GET', message[1])
    if known then
      answers[place] = cmsgpack.unpack(known)[2]
    else
      local decision, record = decide_one(message, input.bounds)
      answers[place] = decision
      remember(message, decision, record)
    end
  end
  save()
  return answers
end

local function take_back()
  for _, message in ipairs(KEYS) do
    local known = redis.call('GET', message)
    if known then
      local decided = cmsgpack.unpack(known)
      for _, c in ipairs(decided[3]) do remove(window(c[1], c[2]), decided[1], c[3], c[2]) end
      redis.call('DEL', message)
    end
  end
  save()
  return 0
end

-- input as of decide; `fresh`: places of the windows that begin empty.
local function restore()
  for _, place in ipairs(input.fresh) do redis.call('DEL', KEYS[place]) end
  for _, message in ipairs(input.messages) do
    for i = 3, #message, 3 do
      local span = input.bounds[message[i]][1]
      local w = window(KEYS[message[i + 1]], span)
      sum_at(w, message[2], span)
      if message[i + 2] > 0 then add(w, message[2], message[i + 2], span) end
    end
  end
  save()
  return 0
end

local actions = {decide = decide, take_back = take_back, restore = restore}
return actions[action]()
