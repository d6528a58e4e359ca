using System.Buffers;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>Moves bytes from one open file to another: what sendfile(2), copy_file_range(2) and splice(2) have in common.</summary>
internal static class FileCopy
{
    /// <summary>MAX_RW_COUNT.</summary>
    public const long MaxTransfer = 0x7ffff000;

    private const int ChunkSize = 64 << 10;
    private const int SeekCurrent = 1;

    /// <summary>Copies from a seekable file until the count is reached, the source ends, or the target takes no more.</summary>
    /// <param name="task">The caller.</param>
    /// <param name="source">Where bytes come from.</param>
    /// <param name="sourceOffset">Where in it; moved on by what was copied. -1 is the file's own, which the host moves.</param>
    /// <param name="target">Where they go.</param>
    /// <param name="targetOffset">Where in it, if it is seekable; moved on likewise.</param>
    /// <param name="count">How many at most.</param>
    /// <param name="waits">Whether to wait for room in the target.</param>
    /// <returns>The count; an errno only if nothing was copied.</returns>
    public static SyscallResult Copy(GuestTask task, FileDescription source, ref long sourceOffset, FileDescription target, ref long targetOffset, long count, bool waits)
    {
        byte[] chunk = ArrayPool<byte>.Shared.Rent(ChunkSize);
        try
        {
            long total = Math.Min(count, MaxTransfer);
            long done = 0;
            while (done < total)
            {
                IoBuffer from = new(chunk.AsSpan(0, (int)Math.Min(ChunkSize, total - done)));
                SyscallResult read = source.Read(task, ref from, sourceOffset);
                if (read.IsError || read.Raw == 0)
                {
                    return done > 0 ? done : read;
                }

                SyscallResult written = Write(task, target, chunk.AsSpan(0, (int)read.Raw), ref targetOffset, waits);
                long left = read.Raw - (written.IsError ? 0 : written.Raw);
                if (left > 0 && sourceOffset < 0)
                {
                    source.Seek(task, -left, SeekCurrent); // what found no room is read again
                }

                if (written.IsError)
                {
                    return done > 0 ? done : written;
                }

                FileEvents.Report(source.Location, InotifyMask.IN_ACCESS);
                FileEvents.Report(target.Location, InotifyMask.IN_MODIFY);
                sourceOffset += sourceOffset < 0 ? 0 : written.Raw;
                done += written.Raw;
                if (written.Raw < read.Raw)
                {
                    break;
                }
            }

            return done;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    /// <summary>Writes bytes of the Sentry's own, all of them if the target lets itself be waited for.</summary>
    /// <returns>The count; an errno only if nothing was written. EPIPE has raised SIGPIPE.</returns>
    public static SyscallResult Write(GuestTask task, FileDescription target, Span<byte> bytes, ref long offset, bool waits)
    {
        IoBuffer buffer = new(bytes);
        long done = 0;
        while (true)
        {
            Errno tooBig = FileSizeLimit.Clip(task, target, ref buffer, offset);
            SyscallResult result = tooBig != Errno.None ? tooBig : target.Write(task, ref buffer, ref offset);
            done += result.IsError ? 0 : result.Raw;
            if (buffer.IsEmpty || !waits || (result.IsError && result.Errno != Errno.EAGAIN) || (!result.IsError && target.IsSeekable))
            {
                if (result.Errno == Errno.EPIPE)
                {
                    Guest.SignalSelf(task, Signal.SIGPIPE);
                }

                return done > 0 ? done : result;
            }

            Errno errno = task.WaitFor(target, PollEvents.Writable | PollEvents.POLLERR);
            if (errno != Errno.None)
            {
                return done > 0 ? done : errno;
            }
        }
    }
}
