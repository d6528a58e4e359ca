using System.Buffers.Binary;

namespace Moat.Platform;

/// <summary>Looks a function up in the dynamic symbols of a 64-bit ELF image as it lies in memory, linked at address 0 (elf(5)).</summary>
public static class ElfSymbols
{
    private const int ProgramHeadersOffset = 32;
    private const int ProgramHeaderCount = 56;
    private const int ProgramHeaderSize = 56;
    private const int SymbolSize = 24;
    private const uint DynamicSegment = 2; // PT_DYNAMIC
    private const ulong StringTable = 5; // DT_STRTAB
    private const ulong SymbolTable = 6; // DT_SYMTAB

    /// <summary>The offset of a function; 0 if there is none.</summary>
    public static ulong Find(ReadOnlySpan<byte> image, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> dynamic = FindDynamic(image);
        ulong strings = 0;
        ulong symbols = 0;
        for (; dynamic.Length >= 16 && Word(dynamic, 0) != 0; dynamic = dynamic[16..])
        {
            strings = Word(dynamic, 0) == StringTable ? Word(dynamic, 8) : strings;
            symbols = Word(dynamic, 0) == SymbolTable ? Word(dynamic, 8) : symbols;
        }

        // The table of strings follows that of symbols in every vDSO.
        for (ulong at = symbols; symbols != 0 && at + SymbolSize <= strings && strings < (ulong)image.Length; at += SymbolSize)
        {
            ReadOnlySpan<byte> symbol = image.Slice((int)at, SymbolSize);
            ulong nameAt = strings + BinaryPrimitives.ReadUInt32LittleEndian(symbol);
            if (BinaryPrimitives.ReadUInt16LittleEndian(symbol[6..]) != 0 && nameAt < (ulong)image.Length && image[(int)nameAt..] is var text && text.StartsWith(name) && text[name.Length] == 0)
            {
                return Word(symbol, 8);
            }
        }

        return 0;
    }

    private static ReadOnlySpan<byte> FindDynamic(ReadOnlySpan<byte> image)
    {
        ReadOnlySpan<byte> headers = image[(int)Word(image, ProgramHeadersOffset)..];
        for (int i = BinaryPrimitives.ReadUInt16LittleEndian(image[ProgramHeaderCount..]); i > 0; i--, headers = headers[ProgramHeaderSize..])
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(headers) == DynamicSegment)
            {
                return image.Slice((int)Word(headers, 16), (int)Word(headers, 40));
            }
        }

        return default;
    }

    private static ulong Word(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[offset..]);
}
