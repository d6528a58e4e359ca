using Moat.Kernel.Bpf;
using Moat.Kernel.Seccomp;
using Moat.Linux;

namespace Moat.Sentry.Seccomp;

/// <summary>Makes a classic BPF program of rules: calls that are treated alike lie together, and a balanced tree of comparisons finds them. Most calls never run it (<see cref="AllowedCalls"/>).</summary>
/// <param name="rules">The rules of each call that has some.</param>
/// <param name="otherwise">What happens to calls without a rule that holds.</param>
internal sealed class SeccompCompiler(SortedDictionary<uint, List<CallRule>> rules, uint otherwise)
{
    /// <summary>BPF_LD | BPF_W | BPF_ABS.</summary>
    public const ushort LoadWord = 0x20;

    /// <summary>BPF_JMP | BPF_JEQ | BPF_K.</summary>
    public const ushort JumpEqual = 0x15;

    /// <summary>BPF_JMP | BPF_JGT | BPF_K.</summary>
    public const ushort JumpGreater = 0x25;

    /// <summary>BPF_JMP | BPF_JGE | BPF_K.</summary>
    public const ushort JumpGreaterOrEqual = 0x35;

    /// <summary>What calls get that the kernel is not to know.</summary>
    public const uint NoSuchCall = (uint)SeccompAction.Errno | (uint)Errno.ENOSYS;

    private const ushort Jump = 0x05; // BPF_JMP | BPF_JA
    private const ushort Return = 0x06; // BPF_RET | BPF_K
    private const uint ArchX8664 = 0xc000003e;
    private const uint X32Bit = 0x40000000;

    /// <summary>Makes the program; null if it is too long for one.</summary>
    /// <param name="newest">Calls behind this one are newer than the rules and answered with ENOSYS, so that programs fall back to older ones (as runc does); null: as other calls without a rule.</param>
    /// <param name="hasX32">Whether the rules are for calls of the x32 ABI too, which the kernel does not have; without them such a call ends its task.</param>
    public BpfProgram? Compile(uint? newest, bool hasX32)
    {
        List<BpfInstruction> program =
        [
            new(LoadWord, 0, 0, 4), // seccomp_data.arch
            new(JumpEqual, 1, 0, ArchX8664),
            new(Return, 0, 0, (uint)SeccompAction.KillThread),
            new(LoadWord, 0, 0, 0), // seccomp_data.nr
            new(JumpGreaterOrEqual, 0, 1, X32Bit),
            new(Return, 0, 0, hasX32 ? NoSuchCall : (uint)SeccompAction.KillThread),
        ];
        if (newest is { } last)
        {
            program.Add(new BpfInstruction(JumpGreater, 0, 1, last));
            program.Add(new BpfInstruction(Return, 0, 0, NoSuchCall));
        }

        program.AddRange(Find(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(Ranges())));
        return BpfProgram.CheckCalls([.. program]);
    }

    // Neighbours with the same decision whatever their arguments are one range; a call with conditions is one by itself.
    private List<(uint Start, List<BpfInstruction> Code)> Ranges()
    {
        List<(uint Start, List<BpfInstruction> Code)> ranges = [(0, Leaf(otherwise))];
        uint next = 0;
        foreach ((uint number, List<CallRule> own) in rules)
        {
            if (number > next)
            {
                Append(ranges, next, Leaf(otherwise));
            }

            Append(ranges, number, CodeOf(own));
            next = number + 1;
        }

        Append(ranges, next, Leaf(otherwise));
        return ranges;
    }

    private static void Append(List<(uint Start, List<BpfInstruction> Code)> ranges, uint start, List<BpfInstruction> code)
    {
        if (ranges[^1].Start == start)
        {
            ranges.RemoveAt(ranges.Count - 1);
        }

        if (ranges.Count == 0 || !ranges[^1].Code.SequenceEqual(code))
        {
            ranges.Add((start, code));
        }
    }

    // One rule without conditions counts for whatever the others leave; libseccomp lets the general rule replace special ones.
    private List<BpfInstruction> CodeOf(List<CallRule> own)
    {
        if (own.Find(static rule => rule.Tests.Count == 0) is { } general)
        {
            return Leaf(general.Decision);
        }

        List<BpfInstruction> code = [];
        foreach (CallRule rule in own)
        {
            List<BpfInstruction> decided = Leaf(rule.Decision);
            for (int i = rule.Tests.Count - 1; i >= 0; i--)
            {
                rule.Tests[i].Guard(decided);
            }

            code.AddRange(decided);
        }

        code.AddRange(Leaf(otherwise));
        return code;
    }

    // The number is in the accumulator.
    private static List<BpfInstruction> Find(ReadOnlySpan<(uint Start, List<BpfInstruction> Code)> ranges)
    {
        if (ranges.Length == 1)
        {
            return ranges[0].Code;
        }

        int middle = ranges.Length / 2;
        List<BpfInstruction> below = Find(ranges[..middle]);
        List<BpfInstruction> code = below.Count <= byte.MaxValue
            ? [new BpfInstruction(JumpGreaterOrEqual, (byte)below.Count, 0, ranges[middle].Start)]
            : [new BpfInstruction(JumpGreaterOrEqual, 0, 1, ranges[middle].Start), new BpfInstruction(Jump, 0, 0, (uint)below.Count)];
        return [.. code, .. below, .. Find(ranges[middle..])];
    }

    private static List<BpfInstruction> Leaf(uint decision) => [new BpfInstruction(Return, 0, 0, decision)];
}
