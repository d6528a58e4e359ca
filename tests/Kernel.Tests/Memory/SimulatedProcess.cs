using Moat.Kernel.Memory;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Tests.Memory;

/// <summary>A process that touches its memory as a processor would: through what its space shows, with a fault where that does not allow it.</summary>
internal sealed class SimulatedProcess(MemoryFile file, MemoryManager memory, SimulatedSpace space)
{
    public const ulong PageSize = MemoryFile.PageSize;

    private static readonly AddressLayout s_layout = new(0x10000, 1UL << 46, 1UL << 45, 1UL << 44, 1UL << 43);

    public MemoryManager Memory => memory;

    public SimulatedSpace Space => space;

    /// <summary>How many faults there were.</summary>
    public int Faults { get; private set; }

    public static SimulatedProcess Create(MemoryFile file)
    {
        SimulatedSpace space = new();
        return new SimulatedProcess(file, new MemoryManager(file, space, s_layout, null), space);
    }

    public SimulatedProcess Fork()
    {
        SimulatedSpace space = new();
        return new SimulatedProcess(file, memory.Fork(space, default), space);
    }

    public ulong Map(ulong pages, ulong address = 0, bool isFixed = false, IMappable? mapped = null, MemoryAccess access = MemoryAccess.Read | MemoryAccess.Write) =>
        memory.Map(new MapRequest { Address = address, Length = pages * PageSize, IsFixed = isFixed, Access = access, File = mapped }).Value.Value;

    /// <summary>The byte at an address, or null where there is a SIGSEGV or SIGBUS.</summary>
    public byte? Read(ulong address) => TryReach(address, MemoryAccess.Read, out int page) ? file.Bytes(page, (int)(address % PageSize), 1)[0] : null;

    /// <summary>Writes a byte; false where there is a SIGSEGV or SIGBUS.</summary>
    public bool Write(ulong address, byte value)
    {
        bool reached = TryReach(address, MemoryAccess.Write, out int page);
        if (reached)
        {
            file.Bytes(page, (int)(address % PageSize), 1)[0] = value;
        }

        return reached;
    }

    private bool TryReach(ulong address, MemoryAccess access, out int page)
    {
        for (int attempt = 0; attempt < 4; attempt++)
        {
            bool isPresent = space.Mapped.TryGetValue(address / PageSize, out var mapped);
            if (isPresent && (access & ~mapped.Access) == 0)
            {
                Assert.Same(file, mapped.File);
                page = (int)mapped.Page;
                return true;
            }

            Faults++;
            if (memory.HandleFault(new GuestAddress(address), access, isPresent, ulong.MaxValue) != FaultOutcome.Handled)
            {
                page = -1;
                return false;
            }
        }

        throw new InvalidOperationException("a fault that does not help");
    }
}
