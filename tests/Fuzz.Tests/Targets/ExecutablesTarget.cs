using System.Buffers.Binary;
using Moat.Kernel.Loader;

namespace Moat.Fuzz.Targets;

/// <summary>Headers of ELF files. Of what is taken, the segments lie as the loader relies on.</summary>
internal sealed class ExecutablesTarget : FuzzTarget
{
    private const int Header = 64;
    private const int Row = 56;
    private const ulong AddressEnd = 1UL << 47;

    /// <inheritdoc/>
    public override string Name => "executables";

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> MakeSeeds() =>
    [
        Make(2, [(1, 5, 0, 0x400000, 0x1000, 0x1000), (1, 6, 0x1000, 0x402000, 0x800, 0x3000), (0x6474e551, 6, 0, 0, 0, 0)]),
        Make(3, [(3, 4, Header + (4 * Row), 0, 16, 16), (1, 5, 0, 0, 0x400, 0x400), (1, 6, 0x400, 0x2400, 0x100, 0x2000), (2, 6, 0x500, 0x2500, 0x10, 0x10)]),
        Make(3, [(6, 4, Header, Header, 3 * Row, 3 * Row), (1, 7, 0, 0, 0x1000, 0x1000), (0x6474e551, 7, 0, 0, 0, 0)]),
    ];

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        byte[] file = input.ToArray();
        int Read(ulong offset, byte[] buffer)
        {
            ReadOnlySpan<byte> rest = offset < (ulong)file.Length ? file.AsSpan((int)offset) : default;
            rest = rest[..Math.Min(rest.Length, buffer.Length)];
            rest.CopyTo(buffer);
            return rest.Length;
        }

        _ = ElfImage.HasMagic(input);
        if (!ElfImage.Read(Read).TryGet(out ElfImage? image, out _))
        {
            return;
        }

        ulong end = 0;
        foreach (ElfSegment segment in image.Segments)
        {
            Assert.True(segment.Address >= end);
            Assert.InRange(segment.MemorySize, segment.FileSize, AddressEnd - segment.Address);
            end = segment.Address + segment.MemorySize;
            Assert.True(segment.Offset + segment.FileSize <= long.MaxValue);
        }

        Assert.Equal(end, image.End);
        Assert.True(image.Start <= image.Segments[0].Address);
        Assert.True(image.ProgramHeaderAddress < AddressEnd);
        Assert.True(image.Interpreter is null || !image.Interpreter.Contains((byte)0));
    }

    private static byte[] Make(ushort type, ReadOnlySpan<(uint Kind, uint Flags, ulong Offset, ulong Address, ulong FileSize, ulong MemorySize)> rows)
    {
        byte[] file = new byte[Header + (rows.Length * Row) + 16];
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(file);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(16), type);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(18), 62);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(24), 0x400100);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(32), Header);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(54), Row);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(56), (ushort)rows.Length);
        for (int i = 0; i < rows.Length; i++)
        {
            Span<byte> row = file.AsSpan(Header + (i * Row), Row);
            BinaryPrimitives.WriteUInt32LittleEndian(row, rows[i].Kind);
            BinaryPrimitives.WriteUInt32LittleEndian(row[4..], rows[i].Flags);
            BinaryPrimitives.WriteUInt64LittleEndian(row[8..], rows[i].Offset);
            BinaryPrimitives.WriteUInt64LittleEndian(row[16..], rows[i].Address);
            BinaryPrimitives.WriteUInt64LittleEndian(row[32..], rows[i].FileSize);
            BinaryPrimitives.WriteUInt64LittleEndian(row[40..], rows[i].MemorySize);
        }

        "/lib/ld.so"u8.CopyTo(file.AsSpan(Header + (rows.Length * Row)));
        return file;
    }
}
