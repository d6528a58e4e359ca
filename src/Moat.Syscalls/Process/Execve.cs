using Moat.Kernel.Loader;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>execve(2), execveat(2).</summary>
internal static class Execve
{
    private const int MaxStrings = 65536;
    private const int MaxTotal = 8 << 20;
    private const int MaxString = 128 << 10; // MAX_ARG_STRLEN

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.execve, ExecveCall, Arg.Path, Arg.StringVector, Arg.Pointer);
        table.Add(SyscallNumber.execveat, ExecveAt, Arg.DirFd, Arg.Path, Arg.StringVector, Arg.Pointer, Arg.Hex);
    }

    private static SyscallResult ExecveCall(GuestTask task, in SyscallArguments arguments) =>
        Run(task, Guest.AtFdCwd, arguments.Address(0), arguments.Address(1), arguments.Address(2), 0);

    private static SyscallResult ExecveAt(GuestTask task, in SyscallArguments arguments) =>
        (arguments.Int(4) & ~(Guest.AtEmptyPath | Guest.AtSymlinkNoFollow)) != 0
            ? Errno.EINVAL
            : Run(task, arguments.Int(0), arguments.Address(1), arguments.Address(2), arguments.Address(3), arguments.Int(4));

    private static SyscallResult Run(GuestTask task, int directoryFd, GuestAddress pathAddress, GuestAddress argv, GuestAddress envp, int flags)
    {
        if (!Guest.ReadPath(task, pathAddress).TryGet(out byte[]? path, out Errno errno) || !Guest.StartOf(task, directoryFd, path).TryGet(out PathLocation start, out errno))
        {
            return errno;
        }

        if (!ProgramLoader.OpenExecutable(task, start, path, Guest.WalkFlagsOf(flags)).TryGet(out FileDescription? file, out errno))
        {
            return errno;
        }

        try
        {
            int total = 0;
            if (!ReadStrings(task, argv, ref total).TryGet(out List<byte[]>? arguments, out errno) || !ReadStrings(task, envp, ref total).TryGet(out List<byte[]>? environment, out errno))
            {
                return errno;
            }

            if (arguments.Count == 0)
            {
                arguments.Add([]); // Linux 5.18: argv[0] is always there
            }

            bool isPlain = directoryFd == Guest.AtFdCwd || (path.Length > 0 && path[0] == (byte)'/');
            byte[] shown = isPlain ? path
                : path.Length == 0 ? System.Text.Encoding.ASCII.GetBytes($"/dev/fd/{directoryFd}") : [.. System.Text.Encoding.ASCII.GetBytes($"/dev/fd/{directoryFd}/"), .. path];
            bool isClosing = !isPlain && task.Files.GetCloseOnExec(directoryFd).TryGet(out bool closes, out _) && closes;
            return ProgramExecution.Execute(task, file, shown, arguments, environment, isClosing);
        }
        finally
        {
            file.Release();
        }
    }

    private static Result<List<byte[]>> ReadStrings(GuestTask task, GuestAddress vector, ref int total)
    {
        List<byte[]> strings = [];
        if (vector.IsNull)
        {
            return strings;
        }

        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(MaxString);
        try
        {
            while (true)
            {
                Errno errno = task.Memory.Read(vector + ((ulong)strings.Count * 8), out ulong pointer);
                if (errno != Errno.None)
                {
                    return errno;
                }

                if (pointer == 0)
                {
                    return strings;
                }

                if (!task.Memory.CopyInString(new GuestAddress(pointer), buffer.AsSpan(0, MaxString)).TryGet(out int length, out errno))
                {
                    return errno == Errno.ENAMETOOLONG ? Errno.E2BIG : errno;
                }

                total += length + 1;
                if (strings.Count >= MaxStrings || total > MaxTotal)
                {
                    return Errno.E2BIG;
                }

                strings.Add(buffer[..length]);
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
