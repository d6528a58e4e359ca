using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Loader;

/// <summary>The stack a program starts with (System V ABI for AMD64, 3.4.1): argument count, arguments, environment, auxiliary vector, and their strings above.</summary>
internal sealed class InitialStack(MemoryManager memory, ulong top)
{
    private ulong _at = top;

    /// <summary>Writes it; returns the stack pointer.</summary>
    /// <param name="task">Whose kernel and processor count.</param>
    /// <param name="credentials">Who the program runs as.</param>
    /// <param name="path">AT_EXECFN.</param>
    /// <param name="arguments">argv.</param>
    /// <param name="environment">envp.</param>
    /// <param name="facts">What the loader found.</param>
    public Result<ulong> Build(GuestTask task, in ProgramCredentials credentials, byte[] path, IReadOnlyList<byte[]> arguments, IReadOnlyList<byte[]> environment, AuxiliaryFacts facts)
    {
        _at -= sizeof(ulong); // a zero word ends the stack
        ulong executable = Push(path, zero: true);
        ProgramLayout parts = memory.Program;
        parts.EnvironmentEnd = _at;
        ulong[] environmentAddresses = PushAll(environment);
        parts.EnvironmentStart = parts.ArgumentEnd = _at;
        ulong[] argumentAddresses = PushAll(arguments);
        parts.ArgumentStart = _at;
        ulong platform = Push("x86_64"u8, zero: true);
        byte[] random = new byte[16];
        task.Kernel.Random.Fill(random);
        _at &= ~15UL;
        ulong randomAddress = Push(random, zero: false);

        TaskCredentials who = credentials.After;
        ulong[] auxiliary =
        [
            16, (uint)X86Base.CpuId(1, 0).Edx, // AT_HWCAP
            6, 4096, // AT_PAGESZ
            17, 100, // AT_CLKTCK
            3, facts.ProgramHeaders, // AT_PHDR
            4, 56, // AT_PHENT
            5, (ulong)facts.ProgramHeaderCount, // AT_PHNUM
            7, facts.InterpreterBase, // AT_BASE
            8, 0, // AT_FLAGS
            9, facts.Entry, // AT_ENTRY
            11, who.RealUid, // AT_UID
            12, who.EffectiveUid, // AT_EUID
            13, who.RealGid, // AT_GID
            14, who.EffectiveGid, // AT_EGID
            23, credentials.IsSecure ? 1UL : 0, // AT_SECURE
            25, randomAddress, // AT_RANDOM
            26, 0, // AT_HWCAP2
            31, executable, // AT_EXECFN
            15, platform, // AT_PLATFORM
            51, (ulong)task.Context.FpuStateSize + 1024, // AT_MINSIGSTKSZ
            facts.Vdso == 0 ? 0 : 33UL, facts.Vdso, // AT_SYSINFO_EHDR, or the end
            0, 0, // AT_NULL
        ];
        parts.AuxiliaryVector = MemoryMarshal.AsBytes<ulong>(auxiliary).ToArray();

        List<ulong> words = [(ulong)arguments.Count, .. argumentAddresses, 0, .. environmentAddresses, 0, .. auxiliary];
        _at = (_at - ((ulong)words.Count * sizeof(ulong))) & ~15UL;
        parts.StackStart = _at;
        Errno errno = memory.CopyOut(new GuestAddress(_at), MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(words)));
        return errno != Errno.None || _failed ? Errno.EFAULT : _at;
    }

    private bool _failed;

    // Strings stand in order of their addresses.
    private ulong[] PushAll(IReadOnlyList<byte[]> strings)
    {
        ulong[] addresses = new ulong[strings.Count];
        for (int i = strings.Count - 1; i >= 0; i--)
        {
            addresses[i] = Push(strings[i], zero: true);
        }

        return addresses;
    }

    private ulong Push(ReadOnlySpan<byte> bytes, bool zero)
    {
        _at -= (ulong)bytes.Length + (zero ? 1UL : 0);
        _failed |= memory.CopyOut(new GuestAddress(_at), bytes) != Errno.None; // the byte behind is zero already
        return _at;
    }
}
