using System.Buffers.Binary;
using System.Text;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Loader;

/// <summary>Makes an address space out of an executable file, as execve(2) does: ELF programs, static or with an interpreter, and scripts.</summary>
public static class ProgramLoader
{
    private const int MaxScriptDepth = 4;
    private const int MaxScriptLine = 255; // BINPRM_BUF_SIZE less one
    private const int MaxArgumentBytes = 128 << 10; // MAX_ARG_STRLEN
    private const ulong MinArgumentSpace = 128 << 10;
    private const ulong MaxArgumentSpace = 6 << 20;

    /// <summary>Loads a program.</summary>
    /// <param name="task">Whose root, credentials and limits count.</param>
    /// <param name="file">The executable, opened for it; the caller keeps its reference.</param>
    /// <param name="path">The path that was given: AT_EXECFN, and a script's argument.</param>
    /// <param name="arguments">argv.</param>
    /// <param name="environment">envp.</param>
    /// <param name="isPathClosing">The path leads through a descriptor that closes on exec: a script's interpreter could not open it (ENOENT).</param>
    public static Result<LoadedProgram> Load(
        GuestTask task, FileDescription file, byte[] path, IReadOnlyList<byte[]> arguments, IReadOnlyList<byte[]> environment, bool isPathClosing = false)
    {
        file.AddReference();
        byte[] name = path;
        ExecutableHead head;
        for (int depth = 0; ; depth++)
        {
            head = new ExecutableHead(task, file);
            ReadOnlySpan<byte> start = head.Bytes;
            if (!start.StartsWith("#!"u8))
            {
                break;
            }

            if (depth > MaxScriptDepth)
            {
                file.Release();
                return Errno.ELOOP;
            }

            Errno errno = ParseScript(start[2..Math.Min(start.Length, MaxScriptLine)], start.Length <= MaxScriptLine, out byte[] interpreter, out byte[]? argument);
            file.Release();
            if (errno != Errno.None || isPathClosing)
            {
                return errno != Errno.None ? errno : Errno.ENOENT;
            }

            List<byte[]> rewritten = [interpreter];
            if (argument is not null)
            {
                rewritten.Add(argument);
            }

            rewritten.Add(name);
            rewritten.AddRange(arguments.Skip(1));
            arguments = rewritten;
            name = interpreter;
            if (!OpenExecutable(task, task.Fs.WorkingDirectory, interpreter, WalkFlags.None).TryGet(out FileDescription? next, out errno))
            {
                return errno;
            }

            file = next;
        }

        try
        {
            return LoadElf(task, file, head, path, arguments, environment);
        }
        finally
        {
            file.Release();
        }
    }

    /// <summary>Opens a file for execution: a regular file that the task may execute, on a mount that allows it.</summary>
    public static Result<FileDescription> OpenExecutable(GuestTask task, PathLocation start, ReadOnlySpan<byte> path, WalkFlags flags)
    {
        if (!PathWalker.Resolve(task, start, path, flags).TryGet(out PathLocation location, out Errno errno))
        {
            return errno;
        }

        return CheckExecutable(task, location) is var failure and not Errno.None ? failure : FileOpener.OpenFound(task, location, OpenFlags.O_RDONLY, isNew: true);
    }

    /// <summary>Whether a place holds a file that the task may execute.</summary>
    public static Errno CheckExecutable(GuestTask task, PathLocation location)
    {
        if (location.Inode.FileType != Mode.S_IFREG)
        {
            return location.Inode.FileType == Mode.S_IFLNK ? Errno.ELOOP : Errno.EACCES;
        }

        Errno errno = FilePermission.Check(task, location, MemoryAccess.Execute);
        return errno == Errno.None && location.Inode.IsBeingWritten ? Errno.ETXTBSY : errno;
    }

    private static Errno ParseScript(ReadOnlySpan<byte> line, bool isWholeFile, out byte[] interpreter, out byte[]? argument)
    {
        interpreter = [];
        argument = null;
        int end = line.IndexOf((byte)'\n');
        if (end < 0)
        {
            // The line is cut: the interpreter's name at least must be whole.
            ReadOnlySpan<byte> start = line.TrimStart(" \t"u8);
            if (!isWholeFile && start.IndexOfAny(" \t\0"u8) < 0)
            {
                return Errno.ENOEXEC;
            }

            end = line.IndexOf((byte)0) is >= 0 and int zero ? zero : line.Length;
        }

        ReadOnlySpan<byte> text = line[..end].Trim(" \t"u8);
        if (text.IsEmpty)
        {
            return Errno.ENOEXEC;
        }

        int space = text.IndexOfAny(" \t"u8);
        interpreter = (space < 0 ? text : text[..space]).ToArray();
        ReadOnlySpan<byte> rest = space < 0 ? default : text[space..].Trim(" \t"u8);
        argument = rest.IsEmpty ? null : rest.ToArray();
        return Errno.None;
    }

    private static Result<LoadedProgram> LoadElf(GuestTask task, FileDescription file, ExecutableHead head, byte[] path, IReadOnlyList<byte[]> arguments, IReadOnlyList<byte[]> environment)
    {
        if (!ElfImage.Read(head.Read).TryGet(out ElfImage? program, out Errno errno))
        {
            return errno;
        }

        if (!ProgramCredentials.Of(task, file).TryGet(out ProgramCredentials credentials, out errno))
        {
            return errno;
        }

        ulong stackLimit = task.ThreadGroup.Limits.Get(ResourceLimits.Stack).Current;
        ulong argumentLimit = Math.Clamp(stackLimit / 4, MinArgumentSpace, MaxArgumentSpace);
        ulong bytes = 0;
        foreach (byte[] text in arguments.Concat(environment))
        {
            bytes += (ulong)text.Length + 1 + sizeof(ulong);
            if (text.Length >= MaxArgumentBytes || bytes > argumentLimit)
            {
                return Errno.E2BIG;
            }
        }

        FileDescription? interpreterFile = null;
        ElfImage? interpreter = null;
        if (program.Interpreter is { } interpreterPath)
        {
            if (!OpenExecutable(task, task.Fs.WorkingDirectory, interpreterPath, WalkFlags.None).TryGet(out interpreterFile, out errno))
            {
                return errno;
            }

            if (!ElfImage.Read(new ExecutableHead(task, interpreterFile).Read).TryGet(out interpreter, out errno))
            {
                interpreterFile.Release();
                return errno == Errno.ENOEXEC ? Errno.ELIBBAD : errno;
            }
        }

        SentryKernel kernel = task.Kernel;
        AddressLayout layout = AddressLayout.Draw(kernel.Platform, kernel.Random, stackLimit);
        if (!kernel.Platform.NewAddressSpace().TryGet(out IAddressSpace? space, out errno))
        {
            interpreterFile?.Release();
            return errno;
        }

        MemoryManager memory = new(kernel.MemoryFile, space, layout, kernel.Platform.CallSites);
        Result<LoadedProgram> loaded = Fill(task, memory, layout, file, program, interpreterFile, interpreter, path, arguments, environment, credentials);
        interpreterFile?.Release();
        if (!loaded.IsOk)
        {
            memory.RemoveUser();
        }

        return loaded;
    }

    private static Result<LoadedProgram> Fill(
        GuestTask task, MemoryManager memory, AddressLayout layout, FileDescription file, ElfImage program, FileDescription? interpreterFile, ElfImage? interpreter,
        byte[] path, IReadOnlyList<byte[]> arguments, IReadOnlyList<byte[]> environment, ProgramCredentials credentials)
    {
        ulong bias = program.IsPositionIndependent ? layout.PieBase - program.Start : 0;
        Errno errno = MapSegments(memory, file, program, bias);
        if (errno != Errno.None)
        {
            return errno;
        }

        ulong entry = program.Entry + bias;
        ulong interpreterBias = 0;
        if (interpreter is not null)
        {
            Result<GuestAddress> hole = memory.Map(new MapRequest { Length = AddressLayout.RoundUp(interpreter.End - interpreter.Start), Access = MemoryAccess.None });
            if (!hole.TryGet(out GuestAddress place, out errno))
            {
                return errno;
            }

            interpreterBias = place.Value - interpreter.Start;
            errno = MapSegments(memory, interpreterFile!, interpreter, interpreterBias);
            if (errno != Errno.None)
            {
                return errno;
            }

            entry = interpreter.Entry + interpreterBias;
        }

        ProgramLayout parts = memory.Program;
        parts.CodeStart = program.Start + bias;
        parts.CodeEnd = program.Segments.Where(static segment => (segment.Access & MemoryAccess.Execute) != 0).Select(segment => segment.Address + segment.FileSize + bias).DefaultIfEmpty(parts.CodeStart).Max();
        parts.DataStart = program.Segments[^1].Address + bias;
        parts.DataEnd = program.Segments[^1].Address + program.Segments[^1].FileSize + bias;
        parts.BreakStart = parts.Break = AddressLayout.RoundUp(program.End + bias);

        const ulong InitialStack = 132 << 10;
        MemoryAccess stackAccess = MemoryAccess.Read | MemoryAccess.Write | (program.HasExecutableStack ? MemoryAccess.Execute : 0);
        ulong needed = AddressLayout.RoundUp((ulong)arguments.Concat(environment).Sum(static text => (long)text.Length + 9) + (ulong)path.Length + 8192) + InitialStack;
        Result<GuestAddress> stack = memory.Map(new MapRequest
        {
            Address = layout.StackTop - needed,
            Length = needed,
            IsFixed = true,
            Access = stackAccess,
            GrowsDown = true,
            Name = "[stack]",
        });
        if (!stack.IsOk)
        {
            return stack.Errno;
        }

        ulong vdso = 0;
        if (task.Kernel.Vdso is { } image)
        {
            Result<GuestAddress> mapped = memory.Map(new MapRequest
            {
                Length = AddressLayout.RoundUp((ulong)image.Size),
                Access = MemoryAccess.Read | MemoryAccess.Execute,
                File = image,
                Name = "[vdso]",
            });
            if (!mapped.TryGet(out GuestAddress place, out errno))
            {
                return errno;
            }

            vdso = place.Value;
        }

        AuxiliaryFacts facts = new(program.ProgramHeaderAddress + bias, program.ProgramHeaderCount, interpreterBias == 0 ? 0 : interpreter!.Start + interpreterBias, program.Entry + bias, vdso);
        InitialStack builder = new(memory, layout.StackTop);
        if (!builder.Build(task, credentials, path, arguments, environment, facts).TryGet(out ulong stackPointer, out errno))
        {
            return errno;
        }

        if (!file.Inode.TryDenyWriters())
        {
            return Errno.ETXTBSY;
        }

        file.AddReference();
        memory.ExecutableFile = file;
        memory.BringProgram(new GuestAddress(entry));
        RegisterSet registers = new() { Rip = entry, Rsp = stackPointer, Cs = 0x33, Ss = 0x2b, Eflags = 0x202, OrigRax = ulong.MaxValue };
        int slash = Array.LastIndexOf(path, (byte)'/'); // a script's own name, not its interpreter's
        return new LoadedProgram(memory, registers, path[(slash + 1)..], credentials);
    }

    private static Errno MapSegments(MemoryManager memory, FileDescription file, ElfImage image, ulong bias)
    {
        if (file.Mappable is not { } mappable)
        {
            return Errno.ENOEXEC;
        }

        foreach (ElfSegment segment in image.Segments)
        {
            ulong start = AddressLayout.RoundDown(segment.Address + bias);
            ulong fileEnd = segment.Address + bias + segment.FileSize;
            ulong fileTop = segment.FileSize == 0 ? start : AddressLayout.RoundUp(fileEnd);
            ulong end = AddressLayout.RoundUp(segment.Address + bias + segment.MemorySize);
            if (fileTop > start)
            {
                Errno errno = memory.Map(new MapRequest
                {
                    Address = start,
                    Length = fileTop - start,
                    IsFixed = true,
                    Access = segment.Access,
                    File = mappable,
                    FileOffset = AddressLayout.RoundDown(segment.Offset),
                    IsProgramPart = true,
                    Description = file,
                }).Errno;
                if (errno != Errno.None)
                {
                    return errno;
                }
            }

            if (end > fileTop)
            {
                Errno errno = memory.Map(new MapRequest { Address = fileTop, Length = end - fileTop, IsFixed = true, Access = segment.Access, IsProgramPart = true }).Errno;
                if (errno != Errno.None)
                {
                    return errno;
                }
            }

            if (segment.MemorySize > segment.FileSize && fileEnd % MemoryFile.PageSize != 0 && (segment.Access & MemoryAccess.Write) != 0 && segment.FileSize > 0)
            {
                byte[] zeros = new byte[(int)(fileTop - fileEnd)];
                Errno errno = memory.CopyOut(new GuestAddress(fileEnd), zeros);
                if (errno != Errno.None)
                {
                    return errno;
                }
            }
        }

        return Errno.None;
    }
}
