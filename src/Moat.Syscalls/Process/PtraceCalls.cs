using Moat.Kernel.Ptrace;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>ptrace(2): finds the tracee and hands the request to its family.</summary>
internal static class PtraceCalls
{
    private const int MaxSignal = 64;

    public static void Register(SyscallTableBuilder table) =>
        table.Add(SyscallNumber.ptrace, Ptrace, Arg.Int, Arg.Pid, Arg.Pointer, Arg.Hex);

    private static SyscallResult Ptrace(GuestTask task, in SyscallArguments arguments)
    {
        PtraceRequest request = (PtraceRequest)arguments.Long(0);
        if (request == PtraceRequest.TraceMe)
        {
            return TraceLinks.TraceMe(task);
        }

        if (task.Pids.FindTask(arguments.Int(1)) is not { } target)
        {
            return Errno.ESRCH;
        }

        return request switch
        {
            PtraceRequest.Attach => TraceLinks.Attach(task, target, seizes: false, TraceOptions.None),
            PtraceRequest.Seize => Seize(task, target, arguments),
            PtraceRequest.Kill or PtraceRequest.Interrupt => PtraceControl.OfAnyState(task, target, request),
            _ => OfStopped(task, target, request, arguments),
        };
    }

    private static SyscallResult Seize(GuestTask task, GuestTask target, in SyscallArguments arguments)
    {
        if (arguments[2] != 0 || (arguments[3] & ~(ulong)TraceOptions.All) != 0)
        {
            return Errno.EIO;
        }

        TraceOptions options = (TraceOptions)arguments[3];
        Errno errno = PtraceControl.CheckOptions(task, options);
        return errno != Errno.None ? errno : TraceLinks.Attach(task, target, seizes: true, options);
    }

    private static SyscallResult OfStopped(GuestTask task, GuestTask target, PtraceRequest request, in SyscallArguments arguments)
    {
        Tracee? tracee;
        lock (task.Kernel.TaskLock)
        {
            tracee = target.Tracee;
            if (tracee is null || !tracee.IsHeldBy(task))
            {
                return Errno.ESRCH;
            }
        }

        switch (request)
        {
            case PtraceRequest.PeekText or PtraceRequest.PeekData or PtraceRequest.PokeText or PtraceRequest.PokeData:
                return PtraceMemory.Run(task, tracee, request, arguments);
            case PtraceRequest.PeekUser or PtraceRequest.PokeUser:
                return PtraceUserArea.Run(task, tracee, request, arguments);
            case PtraceRequest.GetRegisters or PtraceRequest.SetRegisters or PtraceRequest.GetFpuRegisters or PtraceRequest.SetFpuRegisters
                or PtraceRequest.GetRegisterSet or PtraceRequest.SetRegisterSet or PtraceRequest.ArchPrctl:
                return PtraceRegisters.Run(task, tracee, request, arguments);
            case PtraceRequest.GetSignalInfo or PtraceRequest.SetSignalInfo or PtraceRequest.PeekSignalInfo or PtraceRequest.GetSignalMask or PtraceRequest.SetSignalMask:
                return PtraceSignals.Run(task, tracee, request, arguments);
            case PtraceRequest.Continue or PtraceRequest.Syscall or PtraceRequest.SysEmu or PtraceRequest.SingleStep or PtraceRequest.SysEmuSingleStep or PtraceRequest.Detach:
                return arguments[3] > MaxSignal ? Errno.EIO : PtraceControl.Resume(task, tracee, request, (int)arguments[3]);
            case PtraceRequest.SetOptions or PtraceRequest.OldSetOptions or PtraceRequest.GetEventMessage or PtraceRequest.Listen:
                return PtraceControl.Run(task, tracee, request, arguments);
            case PtraceRequest.GetSyscallInfo or PtraceRequest.SeccompGetFilter or PtraceRequest.SeccompGetMetadata:
                return PtraceSyscallInfo.Run(task, tracee, request, arguments);
            default:
                return Errno.EIO;
        }
    }
}
