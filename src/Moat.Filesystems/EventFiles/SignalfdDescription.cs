using System.Buffers.Binary;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Filesystems.EventFiles;

/// <summary>A signalfd(2). Whoever reads or waits sees the signals of its own process, not of the one that made it.</summary>
public sealed class SignalfdDescription(AnonymousFilesystem home, GuestTask maker, SignalSet mask, OpenFlags flags) : FileDescription(flags | OpenFlags.O_RDWR, null)
{
    private const int RecordSize = 128; // struct signalfd_siginfo

    private ulong _mask = mask.Bits;

    /// <inheritdoc/>
    public override string AnonymousName => "anon_inode:[signalfd]";

    /// <inheritdoc/>
    public override Inode Inode => home.Inode;

    /// <inheritdoc/>
    public override bool IsPollable => true;

    /// <summary>The signals it tells of.</summary>
    internal SignalSet Mask => new(Volatile.Read(ref _mask));

    /// <summary>Changes the signals it tells of.</summary>
    public void SetMask(SignalSet mask)
    {
        Volatile.Write(ref _mask, mask.Bits);
        maker.ThreadGroup.SignalWaiters.Notify(PollEvents.Readable);
    }

    /// <inheritdoc/>
    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset)
    {
        if (destination.Length < RecordSize)
        {
            return Errno.EINVAL;
        }

        Span<byte> record = stackalloc byte[RecordSize];
        long done = 0;
        while (destination.Length >= RecordSize)
        {
            SignalInfo info;
            lock (task.Kernel.TaskLock)
            {
                if (!task.Signals.TryTake(Mask, out info))
                {
                    break;
                }
            }

            Write(info, record);
            if (!destination.CopyFrom(record).TryGet(out int copied, out Errno errno))
            {
                return done > 0 ? done : errno;
            }

            done += copied;
            if (copied < RecordSize)
            {
                break;
            }
        }

        return done > 0 ? done : Errno.EAGAIN;
    }

    /// <inheritdoc/>
    public override IWaitable WaitableFor(GuestTask task) => new SignalfdView(this, task);

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask) => new SignalfdView(this, maker).Readiness(mask);

    private static void Write(in SignalInfo info, Span<byte> record)
    {
        ReadOnlySpan<byte> from = info;
        record.Clear();
        from[..4].CopyTo(record); // ssi_signo
        from.Slice(4, 4).CopyTo(record[4..]); // ssi_errno
        from.Slice(8, 4).CopyTo(record[8..]); // ssi_code
        switch (info.Code)
        {
            case SignalInfo.SiTimer:
                from.Slice(16, 4).CopyTo(record[24..]); // ssi_tid
                from.Slice(20, 4).CopyTo(record[32..]); // ssi_overrun
                WriteValue(from, record);
                break;
            case <= 0:
                from.Slice(16, 8).CopyTo(record[12..]); // ssi_pid, ssi_uid
                WriteValue(from, record);
                break;
            case SignalInfo.SiKernel:
                break;
            default:
                if (info.Signal == Signal.SIGCHLD)
                {
                    from.Slice(16, 8).CopyTo(record[12..]);
                    from.Slice(24, 4).CopyTo(record[40..]); // ssi_status
                    from.Slice(32, 16).CopyTo(record[56..]); // ssi_utime, ssi_stime
                }
                else if (info.Signal is Signal.SIGIO)
                {
                    from.Slice(16, 4).CopyTo(record[28..]); // ssi_band
                    from.Slice(24, 4).CopyTo(record[20..]); // ssi_fd
                }
                else
                {
                    from.Slice(16, 8).CopyTo(record[72..]); // ssi_addr
                }

                break;
        }
    }

    private static void WriteValue(ReadOnlySpan<byte> from, Span<byte> record)
    {
        from.Slice(24, 4).CopyTo(record[44..]); // ssi_int
        BinaryPrimitives.WriteUInt64LittleEndian(record[48..], BinaryPrimitives.ReadUInt64LittleEndian(from[24..])); // ssi_ptr
    }
}
