//===- Archive.h - structures to bytes and back ---------------------------===//
//
// A Writer and a Reader with one interface, so that the list of a structure's
// fields exists once. Numbers are LEB128: most are small. The Reader trusts
// nothing; after a failure it yields zeros and reads no further.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Format/Container.h"

#include <type_traits>

namespace dsc::format {

class Writer {
public:
  template <typename T> using Ref = const T &;
  std::vector<uint8_t> bytes;

  template <typename... Ts> void operator()(const Ts &...fields) { (put(fields), ...); }

private:
  void number(uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      bytes.push_back(uint8_t(value) | 0x80);
    bytes.push_back(uint8_t(value));
  }
  template <typename T> void put(const T &value) {
    if constexpr (std::is_enum_v<T>)
      number(uint64_t(value));
    else if constexpr (std::is_same_v<T, uint32_t>)
      number(uint32_t(value + 1)); // kNone becomes one byte
    else if constexpr (std::is_same_v<T, int64_t>)
      number(uint64_t(value) << 1 ^ uint64_t(value >> 63)); // zigzag
    else if constexpr (std::is_integral_v<T>)
      number(value);
    else
      fields(*this, value);
  }
  void put(const std::string &text) {
    number(text.size());
    bytes.insert(bytes.end(), text.begin(), text.end());
  }
  template <typename T> void put(const std::vector<T> &list) { put(std::span<const T>(list)); }
  template <typename T> void put(std::span<const T> list) {
    number(list.size());
    for (const T &item : list)
      put(item);
  }
};

class Reader {
public:
  template <typename T> using Ref = T &;
  explicit Reader(std::span<const uint8_t> bytes) : bytes(bytes) {}

  bool failed() const { return bad; }
  bool atEnd() const { return bytes.empty(); }
  template <typename... Ts> void operator()(Ts &...fields) { (get(fields), ...); }

private:
  uint64_t fail() {
    bad = true;
    bytes = {};
    return 0;
  }
  uint64_t number() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
      uint8_t byte = bytes.front();
      bytes = bytes.subspan(1);
      if (shift == 63 && byte > 1)
        break;
      value |= uint64_t(byte & 0x7f) << shift;
      if (byte < 0x80)
        return value;
    }
    return fail();
  }
  template <typename T> void get(T &value) {
    if constexpr (std::is_enum_v<T>) {
      value = T(narrow<std::underlying_type_t<T>>());
    } else if constexpr (std::is_same_v<T, uint32_t>) {
      value = narrow<uint32_t>() - 1;
    } else if constexpr (std::is_same_v<T, int64_t>) {
      uint64_t raw = number();
      value = int64_t(raw >> 1 ^ (0 - (raw & 1)));
    } else if constexpr (std::is_same_v<T, bool>) {
      uint64_t raw = number();
      value = raw <= 1 ? raw == 1 : fail() == 1;
    } else if constexpr (std::is_integral_v<T>) {
      value = narrow<T>();
    } else {
      fields(*this, value);
    }
  }
  template <typename T> T narrow() {
    uint64_t value = number();
    return T(value == T(value) ? value : fail());
  }
  /// A number of things of which each takes a byte at least.
  size_t count() {
    uint64_t value = number();
    return value <= bytes.size() ? value : fail();
  }
  void get(std::string &text) {
    size_t size = count();
    text.assign(reinterpret_cast<const char *>(bytes.data()), size);
    bytes = bytes.subspan(size);
  }
  template <typename T> void get(std::vector<T> &list) {
    list.clear();
    // Not reserved: a forged count must not cost more memory than the bytes behind it.
    for (size_t left = count(); left != 0 && !bad; --left)
      get(list.emplace_back());
  }

  std::span<const uint8_t> bytes;
  bool bad = false;
};

} // namespace dsc::format
