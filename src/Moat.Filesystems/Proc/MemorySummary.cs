using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Platform;

namespace Moat.Filesystems.Proc;

/// <summary>An address space in a few numbers, in bytes: what statm and status say (proc(5)).</summary>
internal readonly record struct MemorySummary
{
    public ulong Mapped { get; init; }
    public ulong PeakMapped { get; init; }
    public ulong Anonymous { get; init; }
    public ulong File { get; init; }
    public ulong Shared { get; init; }
    public ulong PeakResident { get; init; }
    public ulong Locked { get; init; }
    public ulong Data { get; init; }
    public ulong Stack { get; init; }
    public ulong Text { get; init; }
    public ulong Library { get; init; }

    /// <summary>All that is resident.</summary>
    public ulong Resident => Anonymous + File + Shared;

    /// <summary>Adds up a task's mappings; all zero once the task has ended. Takes the address space's lock.</summary>
    public static MemorySummary Of(GuestTask task)
    {
        if (task.HasEnded)
        {
            return default;
        }

        MemoryManager memory = task.Memory;
        ulong anonymous = 0, file = 0, shared = 0, locked = 0, data = 0, stack = 0, executable = 0, mapped = 0;
        foreach (MappingSnapshot mapping in memory.ListMappings())
        {
            ulong length = mapping.End - mapping.Start;
            mapped += length;
            anonymous += mapping.PrivateBytes;
            file += mapping.IsInMemory ? 0 : mapping.FileBytes;
            shared += mapping.IsInMemory ? mapping.FileBytes : 0;
            locked += mapping.IsLocked ? length : 0;
            bool isWritable = (mapping.Access & MemoryAccess.Write) != 0;
            stack += mapping.GrowsDown ? length : 0;
            data += isWritable && !mapping.IsShared && !mapping.GrowsDown ? length : 0;
            executable += (mapping.Access & MemoryAccess.Execute) != 0 && !isWritable ? length : 0;
        }

        // The text is that of the program itself; what else is executable belongs to libraries.
        ProgramLayout program = memory.Program;
        ulong text = AddressLayout.RoundUp(program.CodeEnd) - AddressLayout.RoundDown(program.CodeStart);
        return new MemorySummary
        {
            Mapped = mapped,
            PeakMapped = Math.Max(memory.PeakMappedBytes, mapped),
            Anonymous = anonymous,
            File = file,
            Shared = shared,
            PeakResident = Math.Max(memory.PeakResidentBytes, anonymous + file + shared),
            Locked = locked,
            Data = data,
            Stack = stack,
            Text = text,
            Library = executable > text ? executable - text : 0,
        };
    }
}
