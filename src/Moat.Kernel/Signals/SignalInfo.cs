using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Moat.Linux;

namespace Moat.Kernel.Signals;

/// <summary><c>siginfo_t</c>: 128 bytes as the application sees them (sigaction(2)).</summary>
[InlineArray(Size)]
public struct SignalInfo
{
    /// <summary>Bytes.</summary>
    public const int Size = 128;

    public const int SiUser = 0;
    public const int SiKernel = 0x80;
    public const int SiQueue = -1;
    public const int SiTimer = -2;
    public const int SiTkill = -6;

    private byte _first;

    /// <summary><c>si_signo</c>.</summary>
    public readonly Signal Signal => (Signal)BinaryPrimitives.ReadInt32LittleEndian(this);

    /// <summary><c>si_code</c>.</summary>
    public readonly int Code => BinaryPrimitives.ReadInt32LittleEndian(((ReadOnlySpan<byte>)this)[8..]);

    /// <summary><c>si_addr</c> of a fault.</summary>
    public readonly GuestAddress Address => new(BinaryPrimitives.ReadUInt64LittleEndian(((ReadOnlySpan<byte>)this)[16..]));

    /// <summary>Of a kill(2)-like sender.</summary>
    public static SignalInfo FromSender(Signal signal, int code, int pid, uint uid)
    {
        SignalInfo info = Create(signal, code);
        BinaryPrimitives.WriteInt32LittleEndian(((Span<byte>)info)[16..], pid);
        BinaryPrimitives.WriteUInt32LittleEndian(((Span<byte>)info)[20..], uid);
        return info;
    }

    /// <summary>Of a timer of timer_create(2).</summary>
    public static SignalInfo FromTimer(Signal signal, int timerId, ulong value)
    {
        SignalInfo info = Create(signal, SiTimer);
        BinaryPrimitives.WriteInt32LittleEndian(((Span<byte>)info)[16..], timerId);
        BinaryPrimitives.WriteUInt64LittleEndian(((Span<byte>)info)[24..], value);
        return info;
    }

    /// <summary>Of a message queue that asked to be told of a message (mq_notify(3)).</summary>
    public static SignalInfo FromQueue(Signal signal, int pid, uint uid, ulong value)
    {
        const int SiMessage = -3; // SI_MESGQ
        SignalInfo info = FromSender(signal, SiMessage, pid, uid);
        BinaryPrimitives.WriteUInt64LittleEndian(((Span<byte>)info)[24..], value);
        return info;
    }

    /// <summary>Of a file that became ready (fcntl(2), F_SETSIG).</summary>
    public static SignalInfo FromFile(Signal signal, int code, long band, int fd)
    {
        SignalInfo info = Create(signal, code);
        BinaryPrimitives.WriteInt64LittleEndian(((Span<byte>)info)[16..], band);
        BinaryPrimitives.WriteInt32LittleEndian(((Span<byte>)info)[24..], fd);
        return info;
    }

    /// <summary>Of the kernel, without more.</summary>
    public static SignalInfo FromKernel(Signal signal) => Create(signal, SiKernel);

    /// <summary>Of a fault at an address.</summary>
    public static SignalInfo FromFault(Signal signal, int code, GuestAddress address)
    {
        SignalInfo info = Create(signal, code);
        BinaryPrimitives.WriteUInt64LittleEndian(((Span<byte>)info)[16..], address.Value);
        return info;
    }

    /// <summary>Of a child: SIGCHLD.</summary>
    public static SignalInfo FromChild(Signal signal, int code, int pid, uint uid, int status, long userTicks, long systemTicks)
    {
        SignalInfo info = FromSender(signal, code, pid, uid);
        BinaryPrimitives.WriteInt32LittleEndian(((Span<byte>)info)[24..], status);
        BinaryPrimitives.WriteInt64LittleEndian(((Span<byte>)info)[32..], userTicks);
        BinaryPrimitives.WriteInt64LittleEndian(((Span<byte>)info)[40..], systemTicks);
        return info;
    }

    /// <summary><c>si_timerid</c> of a timer's signal.</summary>
    public readonly int TimerId => BinaryPrimitives.ReadInt32LittleEndian(((ReadOnlySpan<byte>)this)[16..]);

    /// <summary>The same with an <c>si_overrun</c>.</summary>
    public readonly SignalInfo WithOverrun(int overrun)
    {
        SignalInfo copy = this;
        BinaryPrimitives.WriteInt32LittleEndian(((Span<byte>)copy)[20..], overrun);
        return copy;
    }

    /// <summary>The same with another <c>si_signo</c>.</summary>
    public readonly SignalInfo WithSignal(Signal signal)
    {
        SignalInfo copy = this;
        BinaryPrimitives.WriteInt32LittleEndian(copy, (int)signal);
        return copy;
    }

    /// <summary>The same from nobody that the receiver could know: <c>si_pid</c> is 0.</summary>
    public readonly SignalInfo WithoutSender()
    {
        SignalInfo copy = this;
        BinaryPrimitives.WriteInt32LittleEndian(((Span<byte>)copy)[16..], 0);
        return copy;
    }

    private static SignalInfo Create(Signal signal, int code)
    {
        SignalInfo info = default;
        BinaryPrimitives.WriteInt32LittleEndian(info, (int)signal);
        BinaryPrimitives.WriteInt32LittleEndian(((Span<byte>)info)[8..], code);
        return info;
    }
}
