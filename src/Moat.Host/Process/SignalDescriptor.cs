using Moat.Linux;

namespace Moat.Host.Process;

/// <summary>signalfd(2): signals of this process that are blocked in all its threads, as a stream.</summary>
public static unsafe class SignalDescriptor
{
    private const int RecordSize = 128; // struct signalfd_siginfo
    private const int CloseOnExec = 0x80000; // SFD_CLOEXEC

    /// <summary>Makes one.</summary>
    public static Result<int> Create(SignalSet signals)
    {
        ulong bits = signals.Bits;

        // SAFETY: a mask on this stack frame.
        SyscallResult result = HostCall.Invoke(SyscallNumber.signalfd4, -1, (nint)(&bits), sizeof(ulong), CloseOnExec);
        return result.IsError ? result.Errno : (int)result.Raw;
    }

    /// <summary>Waits for the next signal.</summary>
    /// <returns>None when the descriptor is of no more use.</returns>
    public static Signal Wait(int fd)
    {
        Span<byte> record = stackalloc byte[RecordSize];
        SyscallResult result;
        do
        {
            result = HostFile.Read(fd, record);
        }
        while (result.Errno == Errno.EINTR);
        return result.Raw == RecordSize ? (Signal)BitConverter.ToInt32(record) : Signal.None;
    }
}
