using System.Buffers.Binary;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Loader;

/// <summary>The headers of an ELF64 file for x86-64, checked (elf(5)): whatever the file says, the segments lie in order inside the address space and the file's offsets don't wrap.</summary>
internal sealed class ElfImage
{
    private const int HeaderSize = 64;
    private const int ProgramHeaderSize = 56;
    private const int MaxProgramHeaders = 1024;
    private const int MaxInterpreterPath = 4096;
    private const ulong MaxAddress = 1UL << 47;

    private ElfImage(bool isPositionIndependent, ulong entry, ulong headerOffset, IReadOnlyList<ElfSegment> segments)
    {
        IsPositionIndependent = isPositionIndependent;
        Entry = entry;
        ProgramHeaderOffset = headerOffset;
        Segments = segments;
    }

    /// <summary>ET_DYN.</summary>
    public bool IsPositionIndependent { get; }

    /// <summary>The entry point, before relocation.</summary>
    public ulong Entry { get; }

    /// <summary>Where the program headers are in the file.</summary>
    public ulong ProgramHeaderOffset { get; }

    /// <summary>How many program headers there are.</summary>
    public int ProgramHeaderCount { get; private init; }

    /// <summary>PT_LOAD segments in order of address; at least one.</summary>
    public IReadOnlyList<ElfSegment> Segments { get; }

    /// <summary>PT_INTERP's path, or null.</summary>
    public byte[]? Interpreter { get; private init; }

    /// <summary>Whether the stack is to be executable (PT_GNU_STACK).</summary>
    public bool HasExecutableStack { get; private init; }

    /// <summary>The program headers' address, before relocation, if a segment holds them.</summary>
    public ulong ProgramHeaderAddress { get; private init; }

    /// <summary>The lowest page.</summary>
    public ulong Start => Segments[0].Address & ~0xfffUL;

    /// <summary>Behind the highest byte.</summary>
    public ulong End => Segments[^1].Address + Segments[^1].MemorySize;

    /// <summary>Whether a file begins like an ELF file.</summary>
    public static bool HasMagic(ReadOnlySpan<byte> head) => head.Length >= 4 && head[..4].SequenceEqual("\u007fELF"u8);

    /// <summary>Reads and checks the headers.</summary>
    /// <param name="read">Reads bytes of the file at an offset; short at its end.</param>
    /// <returns>ENOEXEC for what is no program for this machine.</returns>
    public static Result<ElfImage> Read(Func<ulong, byte[], int> read)
    {
        byte[] header = new byte[HeaderSize];
        if (read(0, header) < HeaderSize || !HasMagic(header) || header[4] != 2 || header[5] != 1)
        {
            return Errno.ENOEXEC;
        }

        ushort type = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(16));
        ushort machine = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(18));
        ulong entry = BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(24));
        ulong headerOffset = BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(32));
        ushort entrySize = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(54));
        ushort count = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(56));
        if (type is not (2 or 3) || machine != 62 || entrySize != ProgramHeaderSize || count is 0 or > MaxProgramHeaders || headerOffset > long.MaxValue / 2)
        {
            return Errno.ENOEXEC;
        }

        byte[] table = new byte[count * ProgramHeaderSize];
        if (read(headerOffset, table) < table.Length)
        {
            return Errno.ENOEXEC;
        }

        List<ElfSegment> segments = [];
        byte[]? interpreter = null;
        bool executableStack = true;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> row = table.AsSpan(i * ProgramHeaderSize, ProgramHeaderSize);
            uint kind = BinaryPrimitives.ReadUInt32LittleEndian(row);
            uint flags = BinaryPrimitives.ReadUInt32LittleEndian(row[4..]);
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(row[8..]);
            ulong address = BinaryPrimitives.ReadUInt64LittleEndian(row[16..]);
            ulong fileSize = BinaryPrimitives.ReadUInt64LittleEndian(row[32..]);
            ulong memorySize = BinaryPrimitives.ReadUInt64LittleEndian(row[40..]);
            switch (kind)
            {
                case 1 when memorySize > 0: // PT_LOAD
                    ulong previousEnd = segments.Count > 0 ? segments[^1].Address + segments[^1].MemorySize : 0;
                    if (fileSize > memorySize || address >= MaxAddress || memorySize > MaxAddress - address || offset > long.MaxValue / 2 || fileSize > long.MaxValue / 2
                        || (address - offset) % 4096 != 0 || address < previousEnd)
                    {
                        return Errno.ENOEXEC;
                    }

                    segments.Add(new ElfSegment(address, memorySize, offset, fileSize, AccessOf(flags)));
                    break;
                case 3: // PT_INTERP
                    if (interpreter is not null || fileSize is < 2 or > MaxInterpreterPath)
                    {
                        return Errno.ENOEXEC;
                    }

                    interpreter = new byte[fileSize];
                    if (read(offset, interpreter) < interpreter.Length || interpreter[^1] != 0)
                    {
                        return Errno.ENOEXEC;
                    }

                    interpreter = interpreter[..Array.IndexOf(interpreter, (byte)0)];
                    break;
                case 0x6474e551: // PT_GNU_STACK
                    executableStack = (flags & 1) != 0;
                    break;
            }
        }

        if (segments.Count == 0)
        {
            return Errno.ENOEXEC;
        }

        ElfSegment? holder = segments.Find(segment => headerOffset >= segment.Offset && headerOffset + (ulong)table.Length <= segment.Offset + segment.FileSize);
        return new ElfImage(type == 3, entry, headerOffset, segments)
        {
            ProgramHeaderCount = count,
            Interpreter = interpreter,
            HasExecutableStack = executableStack,
            ProgramHeaderAddress = holder is null ? 0 : holder.Address + (headerOffset - holder.Offset),
        };
    }

    private static MemoryAccess AccessOf(uint flags) =>
        ((flags & 4) != 0 ? MemoryAccess.Read : 0) | ((flags & 2) != 0 ? MemoryAccess.Write : 0) | ((flags & 1) != 0 ? MemoryAccess.Execute : 0);
}
