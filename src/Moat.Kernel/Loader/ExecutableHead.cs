using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Kernel.Loader;

/// <summary>The beginning of an executable file, where all that the loader has to know usually stands: read once.</summary>
internal sealed class ExecutableHead
{
    private const int Size = 1024;

    private readonly GuestTask _task;
    private readonly FileDescription _file;
    private readonly byte[] _bytes = new byte[Size];
    private readonly int _count;

    /// <summary>Reads it.</summary>
    /// <param name="task">Who reads.</param>
    /// <param name="file">The file, of which the caller keeps a reference as long as it uses this.</param>
    public ExecutableHead(GuestTask task, FileDescription file)
    {
        _task = task;
        _file = file;
        _count = ReadFile(0, _bytes);
    }

    /// <summary>What there is of it.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _count);

    /// <summary>Reads bytes of the file; returns how many, less than wanted at its end or after an error.</summary>
    public int Read(ulong offset, byte[] buffer)
    {
        if (offset >= (ulong)_count || (ulong)_count - offset < (ulong)buffer.Length)
        {
            return ReadFile((long)offset, buffer);
        }

        _bytes.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
        return buffer.Length;
    }

    private int ReadFile(long offset, byte[] buffer)
    {
        int done = 0;
        while (done < buffer.Length)
        {
            IoBuffer target = new(buffer.AsSpan(done));
            SyscallResult result = _file.Read(_task, ref target, offset + done);
            if (result.IsError || result.Raw == 0)
            {
                break;
            }

            done += (int)result.Raw;
        }

        return done;
    }
}
