using System.Buffers.Binary;
using Iced.Intel;
using Moat.Linux;
using static Iced.Intel.AssemblerRegisters;

namespace Moat.Platform.Amd64;

/// <summary>The vDSO that applications see: one page, an ELF image with the functions of Linux's (vdso(7)). Clocks that are the host's are read by the host's own vDSO, which a stub keeps out of the
/// application's sight; the rest are system calls.</summary>
public static class VdsoImage
{
    private const int HeaderSize = 64;
    private const int ProgramHeaderSize = 56;
    private const int SymbolSize = 24;
    private const int CodeOffset = 0x600;

    // Bits by clock number. The kernel answers the coarse and raw clocks and BOOTTIME with the time of REALTIME or MONOTONIC, and so does the vDSO.
    private const uint LikeRealtime = 0x21;
    private const uint LikeMonotonic = 0xd2;

    private const string Version = "LINUX_2.6";
    private const string Name = "linux-vdso.so.1";

    /// <summary>Makes the image.</summary>
    /// <param name="hostFunction">The address, in the stub, of a function of the host's vDSO; 0 if there is none.</param>
    public static byte[] Create(Func<string, ulong> hostFunction)
    {
        ArgumentNullException.ThrowIfNull(hostFunction);
        string[] names = ["__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time", "__vdso_clock_getres", "__vdso_getcpu"];
        byte[] image = new byte[MemoryFile.PageSize];
        ulong[] entries = WriteCode(image, hostFunction);
        WriteTables(image, names, entries);
        return image;
    }

    private static ulong[] WriteCode(byte[] image, Func<string, ulong> hostFunction)
    {
        Assembler asm = new(64);
        Label[] labels = [asm.CreateLabel(), asm.CreateLabel(), asm.CreateLabel(), asm.CreateLabel(), asm.CreateLabel()];
        asm.Label(ref labels[0]);
        if (hostFunction("__vdso_clock_gettime") is > 0 and ulong clock)
        {
            Label call = asm.CreateLabel();
            asm.cmp(edi, 31);
            asm.ja(call);
            asm.mov(eax, LikeRealtime | LikeMonotonic);
            asm.bt(eax, edi);
            asm.jnc(call);
            asm.mov(eax, LikeMonotonic);
            asm.bt(eax, edi);
            asm.setc(dil);
            asm.movzx(edi, dil); // CLOCK_REALTIME is 0, CLOCK_MONOTONIC 1
            asm.mov(rax, clock);
            asm.jmp(rax);
            asm.Label(ref call);
        }

        Call(asm, SyscallNumber.clock_gettime);
        asm.Label(ref labels[1]);
        CallOrJump(asm, hostFunction("__vdso_gettimeofday"), SyscallNumber.gettimeofday);
        asm.Label(ref labels[2]);
        CallOrJump(asm, hostFunction("__vdso_time"), SyscallNumber.time);
        asm.Label(ref labels[3]);
        Call(asm, SyscallNumber.clock_getres);
        asm.Label(ref labels[4]);
        Call(asm, SyscallNumber.getcpu);
        ulong[] entries = new ulong[labels.Length];
        StubAssembler.Finish(asm, CodeOffset, labels, entries).CopyTo(image, CodeOffset);
        return entries;
    }

    private static void CallOrJump(Assembler asm, ulong target, SyscallNumber number)
    {
        if (target != 0)
        {
            asm.mov(rax, target);
            asm.jmp(rax);
            return;
        }

        Call(asm, number);
    }

    private static void Call(Assembler asm, SyscallNumber number)
    {
        asm.mov(eax, (int)number);
        asm.syscall();
        asm.ret();
    }

    // ELF header, program headers, and the tables that the dynamic segment names.
    private static void WriteTables(byte[] image, string[] names, ulong[] entries)
    {
        int count = names.Length + 1;
        int dynamic = HeaderSize + (2 * ProgramHeaderSize);
        int hash = dynamic + (11 * 16);
        int symbols = hash + ((3 + count) * sizeof(uint) + 7 & ~7);
        int strings = symbols + (count * SymbolSize);
        int at = strings + 1;
        int Text(string text)
        {
            int offset = at - strings;
            System.Text.Encoding.ASCII.GetBytes(text, image.AsSpan(at));
            at += text.Length + 1;
            return offset;
        }

        Put32(image, hash, 1, (uint)count, 1); // one chain with all of them
        for (int i = 0; i < names.Length; i++)
        {
            const byte GlobalFunction = 0x12;
            int symbol = symbols + ((i + 1) * SymbolSize);
            Put32(image, symbol, (uint)Text(names[i]));
            image[symbol + 4] = GlobalFunction;
            image[symbol + 6] = 1; // a section: it is defined
            Put64(image, symbol + 8, entries[i], 16);
            Put32(image, hash + ((3 + i + 1) * sizeof(uint)), i + 1 < names.Length ? (uint)i + 2 : 0);
        }

        int name = Text(Name);
        int version = Text(Version);
        int stringsSize = at - strings;
        int versions = (at + 7) & ~7;
        for (int i = 1; i < count; i++)
        {
            image[versions + (i * sizeof(ushort))] = 2;
        }

        int definitions = (versions + (count * sizeof(ushort)) + 7) & ~7;
        WriteDefinition(image, definitions, isBase: true, 1, Name, name);
        WriteDefinition(image, definitions + 28, isBase: false, 2, Version, version);
        Put64(
            image, dynamic, 14, (ulong)name, 4, (ulong)hash, 5, (ulong)strings, 6, (ulong)symbols, 10, (ulong)stringsSize, 11, SymbolSize, 0x6ffffff0, (ulong)versions,
            0x6ffffffc, (ulong)definitions, 0x6ffffffd, 2, 0, 0);

        ReadOnlySpan<byte> identity = [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];
        identity.CopyTo(image);
        const uint SharedObjectX8664 = (62 << 16) | 3;
        Put32(image, 16, SharedObjectX8664, 1);
        Put64(image, 24, 0, HeaderSize);
        Put32(image, 52, HeaderSize | (ProgramHeaderSize << 16), 2);
        const uint Load = 1;
        const uint Dynamic = 2;
        const uint Read = 4;
        const uint ReadExecute = 5;
        Put32(image, HeaderSize, Load, ReadExecute);
        Put64(image, HeaderSize + 8, 0, 0, 0, MemoryFile.PageSize, MemoryFile.PageSize, MemoryFile.PageSize);
        Put32(image, HeaderSize + ProgramHeaderSize, Dynamic, Read);
        Put64(image, HeaderSize + ProgramHeaderSize + 8, (ulong)dynamic, (ulong)dynamic, (ulong)dynamic, 10 * 16, 10 * 16, sizeof(ulong));
    }

    // Elf64_Verdef and its Elf64_Verdaux.
    private static void WriteDefinition(byte[] image, int at, bool isBase, uint index, string text, int textOffset)
    {
        Put32(image, at, 1 | (isBase ? 1u << 16 : 0), index | (1 << 16), Hash(text), 20, isBase ? 28u : 0, (uint)textOffset, 0);
    }

    // The hash function of System V, as the ELF specification has it.
    private static uint Hash(string text)
    {
        uint hash = 0;
        foreach (char c in text)
        {
            hash = (hash << 4) + c;
            uint top = hash & 0xf0000000;
            hash = (hash ^ (top >> 24)) & ~top;
        }

        return hash;
    }

    private static void Put32(byte[] image, int at, params ReadOnlySpan<uint> words)
    {
        foreach (uint word in words)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at), word);
            at += sizeof(uint);
        }
    }

    private static void Put64(byte[] image, int at, params ReadOnlySpan<ulong> words)
    {
        foreach (ulong word in words)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(at), word);
            at += sizeof(ulong);
        }
    }
}
