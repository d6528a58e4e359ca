using Iced.Intel;
using Moat.Linux;
using static Iced.Intel.AssemblerRegisters;

namespace Moat.Host.Process;

/// <summary>The machine code that makes a child and walks its list of system calls: between clone3 and execve a child of a managed process must not run anything managed, since it
/// shares the parent's memory and has only one of its threads.</summary>
internal static class SpawnCode
{
    /// <summary>Size of a step: number, six arguments, whether its error is ignored, where its result is stored (or 0).</summary>
    public const int StepSize = 72;

    /// <summary>Offset of the first argument.</summary>
    public const int ArgumentsOffset = 8;

    /// <summary>Offset of the ignore flag.</summary>
    public const int IgnoreOffset = 56;

    /// <summary>Offset of the address for the result.</summary>
    public const int StoreOffset = 64;

    private static readonly Lazy<nint> s_entry = new(Load);

    /// <summary>The code, <c>long (clone_args *, size_t, step *, failure *)</c> with the C convention: the child's pid or a negative errno.
    /// A failing child stores the address of the step and its result in <c>failure</c> and ends.</summary>
    public static nint Entry => s_entry.Value;

    /// <summary>Assembles the code, which runs at any address.</summary>
    internal static byte[] Assemble()
    {
        Assembler asm = new(64);
        Label child = asm.CreateLabel();
        Label next = asm.CreateLabel();
        Label failed = asm.CreateLabel();
        Label exit = asm.CreateLabel();

        asm.push(rbx);
        asm.push(r15);
        asm.mov(rbx, rdx);
        asm.mov(r15, rcx);
        asm.mov(eax, (int)SyscallNumber.clone3);
        asm.syscall();
        asm.test(rax, rax);
        asm.je(child);
        asm.pop(r15);
        asm.pop(rbx);
        asm.ret();

        // No stack from here on: it is the parent's.
        asm.Label(ref child);
        asm.mov(rax, __qword_ptr[rbx]);
        asm.test(rax, rax);
        asm.js(exit);
        asm.mov(rdi, __qword_ptr[rbx + 8]);
        asm.mov(rsi, __qword_ptr[rbx + 16]);
        asm.mov(rdx, __qword_ptr[rbx + 24]);
        asm.mov(r10, __qword_ptr[rbx + 32]);
        asm.mov(r8, __qword_ptr[rbx + 40]);
        asm.mov(r9, __qword_ptr[rbx + 48]);
        asm.syscall();
        asm.cmp(rax, -4095);
        asm.jae(failed);
        asm.mov(rcx, __qword_ptr[rbx + StoreOffset]);
        asm.test(rcx, rcx);
        asm.je(next);
        asm.mov(__qword_ptr[rcx], rax);

        asm.Label(ref next);
        asm.add(rbx, StepSize);
        asm.jmp(child);

        asm.Label(ref failed);
        asm.cmp(__qword_ptr[rbx + IgnoreOffset], 0);
        asm.jne(next);
        asm.mov(__qword_ptr[r15], rbx);
        asm.mov(__qword_ptr[r15 + 8], rax);

        asm.Label(ref exit);
        asm.mov(edi, 127);
        asm.mov(eax, (int)SyscallNumber.exit_group);
        asm.syscall();
        asm.ud2();

        using MemoryStream stream = new();
        asm.Assemble(new StreamCodeWriter(stream), 0);
        return stream.ToArray();
    }

    private static nint Load()
    {
        byte[] code = Assemble();
        if (!HostMemory.Map(0, 4096, HostMemory.ProtRead | HostMemory.ProtWrite, HostMemory.MapPrivate | HostMemory.MapAnonymous).TryGet(out nint page, out Errno errno))
        {
            throw new InvalidOperationException($"cannot map code: {errno}");
        }

        System.Runtime.InteropServices.Marshal.Copy(code, 0, page, code.Length);
        errno = HostMemory.Protect(page, 4096, HostMemory.ProtRead | HostMemory.ProtExec);
        return errno == Errno.None ? page : throw new InvalidOperationException($"cannot map code: {errno}");
    }
}
