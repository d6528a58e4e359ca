using System.Runtime.InteropServices;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Ptrace;

/// <summary>The debug registers of a tracee (Intel SDM vol. 3B, "Debug Registers"), carried out by single steps: after each, the instruction pointer and the watched words are looked at. A watched word
/// counts as written when its value has changed; reads cannot be seen, and watching for them is refused.</summary>
/// <remarks>Set under the task lock while the tracee is stopped; otherwise its thread's.</remarks>
public sealed class Breakpoints
{
    /// <summary>How many debug registers there are.</summary>
    public const int Count = 8;

    private const int Addresses = 4;
    private const int Status = 6;
    private const int Control = 7;
    private const ulong StatusReserved = 0xffff0ff0; // reads as ones
    private const ulong StatusStep = 1 << 14;
    private const ulong ControlSettable = 0xffff03ff;
    private const ulong TaskSize = 0x7fff_ffff_f000;
    private const int EntryBits = 16; // where the kinds and lengths begin in DR7
    private const int Execute = 0;
    private const int Write = 1;

    private readonly ulong[] _registers = new ulong[Count];
    private readonly ulong[] _values = new ulong[Addresses];

    /// <summary>Nothing is set.</summary>
    public Breakpoints() => _registers[Status] = StatusReserved;

    /// <summary>Whether any breakpoint is switched on.</summary>
    public bool IsArmed => (_registers[Control] & 0xff) != 0;

    /// <summary>What PTRACE_PEEKUSER shows of one.</summary>
    public static ulong Peek(Breakpoints? breakpoints, int index) => breakpoints?._registers[index] ?? (index == Status ? StatusReserved : 0);

    /// <summary>PTRACE_POKEUSER.</summary>
    /// <returns>EINVAL for an address that is no application's, for kinds and lengths that do not exist or cannot be had; EIO for a register that does not exist.</returns>
    public Errno Set(int index, ulong value)
    {
        switch (index)
        {
            case < Addresses when value >= TaskSize:
                return Errno.EINVAL;
            case 4 or 5:
                return Errno.EIO;
            case Control:
                value &= ControlSettable;
                for (int i = 0; i < Addresses; i++)
                {
                    if (IsEnabled(value, i) && !IsPossible(value, i))
                    {
                        return Errno.EINVAL;
                    }
                }

                break;
        }

        _registers[index] = value;
        return Errno.None;
    }

    /// <summary>The tracee goes on: what is watched has the values that it has now.</summary>
    internal void Begin(GuestTask task)
    {
        for (int i = 0; i < Addresses; i++)
        {
            _values[i] = IsEnabled(_registers[Control], i) ? ValueOf(task, i) : 0;
        }
    }

    /// <summary>The tracee has executed an instruction.</summary>
    /// <param name="task">The tracee.</param>
    /// <param name="isStep">Whether it was to step anyway.</param>
    /// <returns>Whether it has met a breakpoint; DR6 says which.</returns>
    internal bool Check(GuestTask task, bool isStep)
    {
        ulong hits = 0;
        for (int i = 0; i < Addresses; i++)
        {
            if (!IsEnabled(_registers[Control], i))
            {
                continue;
            }

            ulong now = ValueOf(task, i);
            bool isHit = KindOf(_registers[Control], i) == Execute ? task.Registers.Rip == _registers[i] : now != _values[i];
            _values[i] = now;
            hits |= isHit ? 1UL << i : 0;
        }

        _registers[Status] = hits != 0 || isStep ? StatusReserved | hits | (isStep ? StatusStep : 0) : _registers[Status];
        return hits != 0;
    }

    private static bool IsEnabled(ulong control, int index) => (control & (3UL << (2 * index))) != 0;

    private static int KindOf(ulong control, int index) => (int)(control >> (EntryBits + (4 * index))) & 3;

    private static int LengthOf(ulong control, int index) => ((int)(control >> (EntryBits + 2 + (4 * index))) & 3) switch
    {
        0 => 1,
        1 => 2,
        2 => 8,
        _ => 4,
    };

    private bool IsPossible(ulong control, int index) => KindOf(control, index) switch
    {
        Execute => LengthOf(control, index) == 1,
        Write => _registers[index] % (ulong)LengthOf(control, index) == 0,
        _ => false,
    };

    private ulong ValueOf(GuestTask task, int index)
    {
        if (KindOf(_registers[Control], index) == Execute)
        {
            return 0;
        }

        ulong value = 0;
        task.Memory.CopyInPartial(new GuestAddress(_registers[index]), MemoryMarshal.AsBytes(new Span<ulong>(ref value))[..LengthOf(_registers[Control], index)], isForced: true);
        return value;
    }
}
