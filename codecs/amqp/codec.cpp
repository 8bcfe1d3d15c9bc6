// Braid, Apache-2.0.
#include "codecs/amqp/codec.hpp"

#include <array>

#include "codecs/amqp/field_printer.hpp"
#include "codecs/amqp/field_reader.hpp"

namespace braid::amqp {

namespace {

template <class T>
Check decode_as(std::string_view fields, const TableLimits& limits, Method& into) {
  FieldReader reader(fields, limits);
  reader.all(into.emplace<T>());
  return reader.finish();
}

struct Entry {
  Check (*decode)(std::string_view, const TableLimits&, Method&) = nullptr;
  const MethodInfo* info = nullptr;
};

// Classes are numbered in fives, methods up to 120: a flat table finds the entry in two steps.
constexpr std::size_t class_step = 5;
constexpr std::size_t class_slots = 19;
constexpr std::size_t method_slots = 121;
constexpr std::uint8_t no_entry = 0xff;
static_assert(Methods::size < no_entry);

struct Dispatch {
  std::array<std::uint8_t, class_slots * method_slots> slots{};
  std::array<Entry, Methods::size> entries{};
};

constexpr Dispatch make_dispatch() {
  Dispatch dispatch;
  for (auto& slot : dispatch.slots) slot = no_entry;
  std::size_t next = 0;
  Methods::for_each([&]<class T>(T) {
    dispatch.slots[T::info.id.class_id / class_step * method_slots + T::info.id.method_id] =
        static_cast<std::uint8_t>(next);
    dispatch.entries[next++] = {&decode_as<T>, &T::info};
  });
  return dispatch;
}
constexpr Dispatch dispatch = make_dispatch();

const Entry* find(MethodId id) {
  const std::size_t class_slot = id.class_id / class_step;
  if (class_slot >= class_slots || id.class_id % class_step != 0 || id.method_id >= method_slots) return nullptr;
  const std::uint8_t slot = dispatch.slots[class_slot * method_slots + id.method_id];
  return slot == no_entry ? nullptr : &dispatch.entries[slot];
}

}  // namespace

Check decode_method(std::string_view payload, const TableLimits& limits, Method& into) {
  if (payload.size() < 4) return DecodeError{ReplyCode::frame_error, "a method frame without a method number", {}};
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(payload.data());
  const MethodId id{load_big<std::uint16_t>(bytes), load_big<std::uint16_t>(bytes + 2)};
  const Entry* entry = find(id);
  if (!entry) return DecodeError{ReplyCode::not_implemented, "a method that AMQP 0-9-1 does not have", id};
  auto error = entry->decode(payload.substr(4), limits, into);
  if (error) error->method = id;
  return error;
}

const MethodInfo& info_of(const Method& method) {
  return *dispatch.entries[method.index()].info;
}

const MethodInfo* find_method(MethodId id) {
  const Entry* entry = find(id);
  return entry ? entry->info : nullptr;
}

std::string print(const Method& method) {
  return std::visit(
      [](const auto& fields) {
        FieldPrinter printer(fields.info.name);
        printer.all(fields);
        return printer.finish();
      },
      method);
}

}  // namespace braid::amqp
