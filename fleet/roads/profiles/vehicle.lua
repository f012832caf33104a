-- One vehicle class on the road network: where it may go, how fast, and what a turn costs.
-- The file generated beside each dataset sets VEHICLE (see fleet/roads/profile.py) and then runs
-- this one. What decides whether a way is open (access, class, width) stands in the same words in
-- VehicleProfile.may_enter; a test holds the two together.

api_version = 4

Set = require('lib/set')
Sequence = require('lib/sequence')
Handlers = require('lib/way_handlers')
Obstacles = require('lib/obstacles')
Measure = require('lib/measure')

local ACCESS_KEYS = { 'motorcar', 'motor_vehicle', 'vehicle', 'access' }
local WIDTH_KEYS = { 'maxwidth:physical', 'maxwidth', 'width', 'est_width' }

local PASSABLE_BARRIERS = Set {
  'no', 'entrance', 'cattle_grid', 'border_control', 'toll_booth', 'sally_port', 'kerb', 'arch',
  'height_restrictor', 'speed_bump', 'hump', 'step'
}
local GATES = Set { 'gate', 'lift_gate', 'swing_gate', 'sliding_gate', 'chain' }
local GATE_S = 15
local SIGNAL_S = 8

local SURFACE_LIMIT_KMH = {
  cobblestone = 20, sett = 25, gravel = 20, unpaved = 20, ground = 15, dirt = 15, earth = 12,
  grass = 10, sand = 8, mud = 5
}

function setup()
  return {
    properties = {
      weight_name = 'routability',
      max_speed_for_map_matching = 120 / 3.6,
      process_call_tagless_node = false,
      u_turn_penalty = VEHICLE.u_turn_s,
      -- A crew may turn where it serves, so that legs cost what the table says.
      continue_straight_at_waypoint = false,
      use_turn_restrictions = true,
      left_hand_driving = VEHICLE.left_hand,
      traffic_signal_penalty = SIGNAL_S
    },
    default_mode = mode.driving,
    oneway_handling = true,
    restrictions = Sequence { 'motorcar', 'motor_vehicle', 'vehicle' },
    turn_penalty = 6,
    turn_bias = 1.075,
    oncoming_turn_penalty = VEHICLE.oncoming_turn_s
  }
end

local function access_of(object)
  for _, key in ipairs(ACCESS_KEYS) do
    local value = object:get_value_by_key(key)
    if value then
      return value
    end
  end
  return ''
end

local function width_m(way, highway)
  local narrowest = nil
  for _, key in ipairs(WIDTH_KEYS) do
    local value = way:get_value_by_key(key)
    local metres = value and Measure.get_max_width(value)
    if metres and metres > 0 and (not narrowest or metres < narrowest) then
      narrowest = metres
    end
  end
  if narrowest then
    return narrowest
  end
  local service = way:get_value_by_key('service')
  if highway == 'service' and service and VEHICLE.service_width_m[service] then
    return VEHICLE.service_width_m[service]
  end
  return VEHICLE.width_by_class_m[highway] or VEHICLE.unknown_width_m
end

function process_node(profile, node, result, relations)
  local barrier = node:get_value_by_key('barrier')
  local access = access_of(node)
  local width = node:get_value_by_key('maxwidth:physical') or node:get_value_by_key('maxwidth')
  local opening_m = width and Measure.get_max_width(width)
  if opening_m and opening_m < VEHICLE.width_m then
    obstacle_map:add(node, Obstacle.new(obstacle_type.barrier))
  elseif VEHICLE.closed_access[access] then
    obstacle_map:add(node, Obstacle.new(obstacle_type.barrier))
  elseif barrier and GATES[barrier] then
    obstacle_map:add(node, Obstacle.new(obstacle_type.gate, obstacle_direction.both, GATE_S, 0))
  elseif barrier and access == '' and not PASSABLE_BARRIERS[barrier] then
    obstacle_map:add(node, Obstacle.new(obstacle_type.barrier))
  end
  Obstacles.process_node(profile, node)
end

local function speed_kmh(way, highway)
  local speed = VEHICLE.speeds_kmh[highway]
  local limit = way:get_value_by_key('maxspeed')
  local limit_kmh = limit and Measure.get_max_speed(limit)
  if limit_kmh and limit_kmh > 0 then
    speed = math.min(speed, limit_kmh)
  end
  local surface = way:get_value_by_key('surface')
  if surface and SURFACE_LIMIT_KMH[surface] then
    speed = math.min(speed, SURFACE_LIMIT_KMH[surface])
  end
  return math.max(1, speed * VEHICLE.factor)
end

function process_way(profile, way, result, relations)
  local highway = way:get_value_by_key('highway')
  if not highway or not VEHICLE.speeds_kmh[highway] or way:get_value_by_key('area') == 'yes' then
    return
  end
  local access = access_of(way)
  if VEHICLE.closed_access[access] or width_m(way, highway) < VEHICLE.needs_m then
    return
  end
  result.forward_mode = mode.driving
  result.backward_mode = mode.driving
  local data = { highway = highway }
  WayHandlers.oneway(profile, way, result, data)

  local speed = speed_kmh(way, highway)
  result.forward_speed = speed
  result.backward_speed = speed
  result.forward_rate = speed / 3.6
  result.backward_rate = speed / 3.6
  -- Private streets may be a route's end, never a short cut.
  if VEHICLE.private_access[access] then
    result.forward_restricted = true
    result.backward_restricted = true
  end
  WayHandlers.roundabouts(profile, way, result, data)
  WayHandlers.driving_side(profile, way, result, data)
  WayHandlers.names(profile, way, result, data)
end

-- Sigmoid over the turning angle: nothing straight on, all of `turn_penalty` in a hairpin.
local function bend_s(profile, turn, bias)
  local towards = turn.angle >= 0 and 1 / bias or bias
  local angle = math.abs(turn.angle) / 180
  return profile.turn_penalty / (1 + math.exp(-(13 * towards * angle - 6.5 / towards)))
end

function process_turn(profile, turn)
  local bias = turn.is_left_hand_driving and 1 / profile.turn_bias or profile.turn_bias
  for _, obstacle in pairs(obstacle_map:get(turn.from, turn.via)) do
    turn.duration = turn.duration + obstacle.duration
  end
  if turn.number_of_roads > 2 or turn.is_u_turn then
    turn.duration = turn.duration + bend_s(profile, turn, bias)
    local oncoming = turn.is_left_hand_driving and turn.angle > 0
      or not turn.is_left_hand_driving and turn.angle < 0
    if oncoming and not turn.is_u_turn and turn.number_of_roads > 2
      and not turn.source_is_roundabout and not turn.target_is_roundabout then
      local sharpness = 1 / (1 + math.exp(-(13 * math.abs(turn.angle) / 180 - 3.25)))
      turn.duration = turn.duration + profile.oncoming_turn_penalty * sharpness
    end
    if turn.is_u_turn then
      turn.duration = turn.duration + profile.properties.u_turn_penalty
    end
  end
  turn.weight = turn.duration
  if not turn.source_restricted and turn.target_restricted then
    turn.weight = constants.max_turn_weight
  end
end

return {
  setup = setup,
  process_way = process_way,
  process_node = process_node,
  process_turn = process_turn
}
