using System.Runtime.InteropServices;
using System.Text;
using Moat.Linux;

namespace Moat.Host.Process;

/// <summary>A child process in the making: system calls that it makes in order between clone3(2) and execveat(2), both included. Build it, <see cref="Run"/> it once, dispose of it.</summary>
/// <remarks>The child starts with handlers reset and all signals blocked; <see cref="Execute"/> unblocks them but for <see cref="BlockedSignals"/>. The calling thread is suspended until the child has executed or failed
/// (CLONE_VFORK). A failing step ends the child, is reported with its name and leaves nothing behind.</remarks>
public sealed unsafe class SpawnPlan : IDisposable
{
    private const int AtEmptyPath = 0x1000;
    private const ulong CloneVm = 0x100;
    private const ulong CloneVfork = 0x4000;
    private const ulong CloneClearSighand = 0x100000000;
    private const int Sigchld = 17;

    private readonly List<Step> _steps = [];
    private readonly List<nint> _blocks = [];
    private int _executableCopy = -1;
    private bool _isComplete;

    /// <summary>Namespaces that the child is made in.</summary>
    public SpawnFlags Flags { get; set; }

    /// <summary>Signals that stay blocked in the program, for it to take from a signalfd(2).</summary>
    public SignalSet BlockedSignals { get; set; }

    /// <summary>Adds a system call.</summary>
    /// <param name="name">For the failure report.</param>
    /// <param name="number">The call.</param>
    /// <param name="ignoreErrors">Whether the child goes on after an error.</param>
    /// <param name="arguments">Up to six; memory they point to must be this plan's (<see cref="Bytes"/>).</param>
    /// <returns>The step's index, for <see cref="StoreResult"/>.</returns>
    public int Call(string name, SyscallNumber number, bool ignoreErrors, params ReadOnlySpan<nint> arguments)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(arguments.Length, 6);
        ObjectDisposedException.ThrowIf(_isComplete, this);
        _steps.Add(new Step(name, number, ignoreErrors, arguments.ToArray()));
        return _steps.Count - 1;
    }

    /// <summary>Hands the result of a step to an argument of a later one.</summary>
    public void StoreResult(int step, int laterStep, int argument) => _steps[step].Stores = (laterStep, argument);

    /// <summary>Copies bytes into memory that lives as long as the plan.</summary>
    public nint Bytes(ReadOnlySpan<byte> bytes)
    {
        byte* block = (byte*)NativeMemory.Alloc((nuint)bytes.Length + 1);
        _blocks.Add((nint)block);

        // SAFETY: the block has room for the bytes and a zero; it is freed with the plan.
        bytes.CopyTo(new Span<byte>(block, bytes.Length));
        block[bytes.Length] = 0;
        return (nint)block;
    }

    /// <summary>A zero-terminated string in memory of the plan.</summary>
    public nint Text(string text) => Bytes(Encoding.UTF8.GetBytes(text));

    /// <summary>Makes the child's descriptors 0, 1, 2 … from these of the parent, in this order (an entry may occur twice; -1 leaves a hole), and nothing else open after execve.</summary>
    /// <param name="sources">The parent's descriptors.</param>
    /// <param name="executable">The descriptor given to <see cref="Execute(int, IReadOnlyList{string}, IReadOnlyList{string})"/>, whose number may be needed for another; -1 for none.</param>
    public void Descriptors(IReadOnlyList<int> sources, int executable = -1)
    {
        const int DupFdCloexec = 1030;
        const int CloseOnExec = 4; // CLOSE_RANGE_CLOEXEC
        int[] copies = new int[sources.Count];
        for (int i = 0; i < sources.Count; i++)
        {
            copies[i] = sources[i] < 0 ? -1 : Call("dup", SyscallNumber.fcntl, false, sources[i], DupFdCloexec, sources.Count);
        }

        if (executable >= 0)
        {
            _executableCopy = Call("dup", SyscallNumber.fcntl, false, executable, DupFdCloexec, sources.Count);
        }

        for (int i = 0; i < sources.Count; i++)
        {
            if (copies[i] >= 0)
            {
                StoreResult(copies[i], Call("dup2", SyscallNumber.dup2, false, 0, i), 0);
            }
            else
            {
                Call("close", SyscallNumber.close, true, i);
            }
        }

        Call("close_range", SyscallNumber.close_range, false, sources.Count, unchecked((nint)uint.MaxValue), CloseOnExec);
    }

    /// <summary>Ends the plan: unblocks signals, gives SIGPIPE its default action, and executes a file.</summary>
    /// <param name="fd">The program, opened with O_PATH or O_RDONLY.</param>
    /// <param name="arguments">Its arguments, name first.</param>
    /// <param name="environment">NAME=value.</param>
    public void Execute(int fd, IReadOnlyList<string> arguments, IReadOnlyList<string> environment) => Execute(fd, Text(""), AtEmptyPath, arguments, environment);

    /// <summary>As above, for a program by its absolute path.</summary>
    public void Execute(string path, IReadOnlyList<string> arguments, IReadOnlyList<string> environment) =>
        Execute(HostFile.CurrentDirectory, Text(path), 0, arguments, environment);

    /// <summary>Makes the child.</summary>
    /// <param name="failure">What went wrong, if the result is 0.</param>
    /// <returns>The child's pid in the caller's pid namespace, or 0.</returns>
    public int Run(out SpawnFailure failure)
    {
        if (!_isComplete)
        {
            throw new InvalidOperationException("a plan ends with the program to execute");
        }

        CloneArguments clone = new() { Flags = (ulong)Flags | CloneVm | CloneVfork | CloneClearSighand, ExitSignal = Sigchld };
        nint steps = Lay();
        Failure failed = default;

        // SAFETY: the code follows the C convention with these four arguments; all they point to stays valid until the child has executed, which is when the call returns.
        long result;
        ulong oldMask = BlockAllSignals();
        result = ((delegate* unmanaged<CloneArguments*, nint, nint, Failure*, long>)SpawnCode.Entry)(&clone, sizeof(CloneArguments), steps, &failed);
        RestoreSignals(oldMask);
        if (result < 0)
        {
            failure = new SpawnFailure("clone3", (Errno)(-result));
            return 0;
        }

        if (failed.Step != 0)
        {
            WaitStatus.WaitFor((int)result);
            failure = new SpawnFailure(_steps[(int)((failed.Step - steps) / SpawnCode.StepSize)].Name, (Errno)(-failed.Result));
            return 0;
        }

        failure = default;
        return (int)result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // SAFETY: each block comes from NativeMemory.Alloc and is freed once.
        foreach (nint block in _blocks)
        {
            NativeMemory.Free((void*)block);
        }

        _blocks.Clear();
    }

    private void Execute(int directory, nint path, int flags, IReadOnlyList<string> arguments, IReadOnlyList<string> environment)
    {
        const int SetMask = 2;
        const int MaskSize = 8;
        nint zeros = Bytes(stackalloc byte[32]); // SIG_DFL without flags
        Call("sigaction", SyscallNumber.rt_sigaction, false, (nint)Signal.SIGPIPE, zeros, 0, MaskSize);
        ulong blocked = BlockedSignals.Bits;
        Call("sigprocmask", SyscallNumber.rt_sigprocmask, false, SetMask, Bytes(MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in blocked))), 0, MaskSize);
        int execute = Call("execve", SyscallNumber.execveat, false, directory, path, Vector(arguments), Vector(environment), flags);
        if (flags == AtEmptyPath && _executableCopy >= 0)
        {
            StoreResult(_executableCopy, execute, 0);
        }

        _isComplete = true;
    }

    private nint Vector(IReadOnlyList<string> strings)
    {
        nint[] pointers = new nint[strings.Count + 1];
        for (int i = 0; i < strings.Count; i++)
        {
            pointers[i] = Text(strings[i]);
        }

        return Bytes(MemoryMarshal.AsBytes<nint>(pointers));
    }

    private nint Lay()
    {
        nint block = Bytes(new byte[(_steps.Count + 1) * SpawnCode.StepSize]);
        for (int i = 0; i < _steps.Count; i++)
        {
            // SAFETY: step i lies within the block.
            long* words = (long*)(block + (i * SpawnCode.StepSize));
            Step step = _steps[i];
            words[0] = (long)step.Number;
            for (int j = 0; j < step.Arguments.Length; j++)
            {
                words[1 + j] = step.Arguments[j];
            }

            words[SpawnCode.IgnoreOffset / 8] = step.IgnoreErrors ? 1 : 0;
            words[SpawnCode.StoreOffset / 8] = step.Stores is (int later, int argument) ? block + (later * SpawnCode.StepSize) + SpawnCode.ArgumentsOffset + (argument * 8) : 0;
        }

        *(long*)(block + (_steps.Count * SpawnCode.StepSize)) = -1;
        return block;
    }

    private static ulong BlockAllSignals()
    {
        ulong all = ulong.MaxValue;
        ulong old = 0;

        // SAFETY: two masks on this stack frame.
        HostCall.Invoke(SyscallNumber.rt_sigprocmask, 0, (nint)(&all), (nint)(&old), sizeof(ulong));
        return old;
    }

    private static void RestoreSignals(ulong mask)
    {
        const int SetMask = 2;

        // SAFETY: a mask on this stack frame.
        HostCall.Invoke(SyscallNumber.rt_sigprocmask, SetMask, (nint)(&mask), 0, sizeof(ulong));
    }

    private sealed class Step(string name, SyscallNumber number, bool ignoreErrors, nint[] arguments)
    {
        public string Name { get; } = name;

        public SyscallNumber Number { get; } = number;

        public bool IgnoreErrors { get; } = ignoreErrors;

        public nint[] Arguments { get; } = arguments;

        public (int Later, int Argument)? Stores { get; set; }
    }

    private struct Failure
    {
        public nint Step;
        public long Result;
    }

    // struct clone_args, version 0 (64 bytes).
    private struct CloneArguments
    {
        public ulong Flags;
        public ulong PidFd;
        public ulong ChildTid;
        public ulong ParentTid;
        public ulong ExitSignal;
        public ulong Stack;
        public ulong StackSize;
        public ulong Tls;
    }
}
