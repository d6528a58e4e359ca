using CsCheck;
using Moat.Kernel.Bpf;
using Moat.Kernel.Seccomp;
using Moat.Linux;

namespace Moat.Kernel.Tests.Seccomp;

/// <summary>Calls that are allowed whatever their arguments: what is said to be allowed is allowed when the filter runs.</summary>
public sealed class AllowedCallsTests
{
    private const uint Allow = (uint)SeccompAction.Allow;

    private static readonly ushort[] s_codes = [0x20, 0x20, 0x20, 0x05, 0x15, 0x15, 0x25, 0x35, 0x45, 0x54, 0x06, 0x04, 0x1d, 0x00];
    private static readonly uint[] s_offsets = [0, 4, 8, 16, 20, 60];
    private static readonly uint[] s_returns = [Allow, Allow | 1, (uint)SeccompAction.Errno | 1, (uint)SeccompAction.Log, 0];

    [Fact]
    public void WhatIsSaidToBeAllowed_IsAllowed()
    {
        Gen<BpfInstruction> instruction = Gen.Select(
            Gen.Int[0, s_codes.Length - 1], Gen.Byte[0, 4], Gen.Byte[0, 4], Gen.UInt[0, 30], static (code, yes, no, k) => new BpfInstruction(s_codes[code], yes, no, s_codes[code] switch
            {
                0x20 => s_offsets[k % s_offsets.Length],
                0x06 => s_returns[k % s_returns.Length],
                0x05 => k % 5,
                _ => k,
            }));
        int allowed = 0;
        int refused = 0;
        Gen.Select(instruction.Array[0, 16], Gen.ULong.Array[6]).Sample(
            (body, values) =>
            {
                if (BpfProgram.CheckCalls([.. body, new BpfInstruction(0x06, 0, 0, Allow)]) is not { } program)
                {
                    return;
                }

                AllowedCalls calls = AllowedCalls.Of(program);
                SeccompState state = new(null, program, null, logs: false);
                for (ulong number = 0; number < 40; number++)
                {
                    uint decision = state.Decide(new RegisterSet { OrigRax = number, Rdi = values[0], Rsi = values[1], Rdx = values[2], R10 = values[3], R8 = values[4], R9 = values[5] });
                    Assert.True(!calls.Contains(number) || decision == Allow, $"call {number} is not allowed but {decision:x}");
                    Interlocked.Increment(ref calls.Contains(number) ? ref allowed : ref refused);
                }
            },
            iter: 5_000);
        Assert.True(allowed > 1000 && refused > 1000, $"{allowed} allowed, {refused} not");
    }

    [Fact]
    public void FilterOfNumbers_IsKnownCompletely_AndArgumentsAreNot()
    {
        // getpid is allowed; read only from descriptor 0; the rest is not.
        BpfProgram program = BpfProgram.CheckCalls(
        [
            new(0x20, 0, 0, 4), new(0x15, 1, 0, 0xc000003e), new(0x06, 0, 0, 0), new(0x20, 0, 0, 0), new(0x15, 2, 0, (uint)SyscallNumber.getpid), new(0x15, 2, 0, (uint)SyscallNumber.read),
            new(0x06, 0, 0, 0x50001), new(0x06, 0, 0, Allow), new(0x20, 0, 0, 16), new(0x15, 0, 1, 0), new(0x06, 0, 0, Allow), new(0x06, 0, 0, 0x50001),
        ])!;
        AllowedCalls calls = AllowedCalls.Of(program);
        Assert.Equal([(ulong)SyscallNumber.getpid], Enumerable.Range(0, 600).Select(static number => (ulong)number).Where(calls.Contains));
        Assert.False(calls.Contains(ulong.MaxValue));
    }

    [Fact]
    public void OlderFilters_CountToo()
    {
        AllowedCalls all = AllowedCalls.Of(BpfProgram.CheckCalls([new(0x06, 0, 0, Allow)])!);
        BpfProgram notGetpid = BpfProgram.CheckCalls([new(0x20, 0, 0, 0), new(0x15, 0, 1, (uint)SyscallNumber.getpid), new(0x06, 0, 0, 0x50001), new(0x06, 0, 0, Allow)])!;
        SeccompState state = new(null, notGetpid, AllowedCalls.Of(notGetpid), logs: false);
        Assert.True(SeccompState.Add(state, notGetpid, all, logs: false).TryGet(out SeccompState? both, out _));
        Assert.True(both.AllowsAlways((ulong)SyscallNumber.gettid));
        Assert.False(both.AllowsAlways((ulong)SyscallNumber.getpid));
        Assert.False(both.AllowsAlways(SyscallNumber.gettid, SyscallNumber.getpid));
        Assert.False(SeccompState.Strict.AllowsAlways((ulong)SyscallNumber.read));
    }
}
