//===- Features.cpp - what the magika model sees of a file ------------------===//
#include "Features.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace examples {

static std::vector<unsigned char> readBlock(std::ifstream &file, std::streamoff offset,
                                            std::streamoff size) {
  std::vector<unsigned char> block(size);
  file.seekg(offset);
  file.read(reinterpret_cast<char *>(block.data()), size);
  return block;
}

static bool isSpace(unsigned char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

std::optional<Tokens> readTokens(const std::string &path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::streamoff size = file.tellg();
  if (!file || size < 0)
    throw std::runtime_error("cannot read " + path);
  std::streamoff blockSize = std::min<std::streamoff>(size, kBlockSize);
  std::vector<unsigned char> first = readBlock(file, 0, blockSize);
  std::vector<unsigned char> last = readBlock(file, size - blockSize, blockSize);
  if (!file)
    throw std::runtime_error("cannot read " + path);

  auto begin = std::find_if_not(first.begin(), first.end(), isSpace);
  auto end = std::find_if_not(last.rbegin(), last.rend(), isSpace);
  if (first.end() - begin < kMinBytes)
    return std::nullopt;

  Tokens tokens;
  tokens.fill(kPaddingToken);
  std::copy_n(begin, std::min<std::ptrdiff_t>(first.end() - begin, kBeginSize), tokens.begin());
  std::copy_n(end, std::min<std::ptrdiff_t>(last.rend() - end, kEndSize), tokens.rbegin());
  return tokens;
}

} // namespace examples
