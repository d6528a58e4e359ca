using CsCheck;
using Moat.Kernel.Bpf;
using Moat.Kernel.Seccomp;
using Moat.Linux;
using Moat.Oci;
using Moat.Platform;
using Moat.Sentry.Seccomp;

namespace Moat.Runtime.Tests.Seccomp;

/// <summary>Filters of system calls of a configuration: what their rules say is what their program decides.</summary>
public sealed class SeccompProfileTests
{
    private const uint Allow = (uint)SeccompAction.Allow;
    private const uint Refused = (uint)SeccompAction.Errno | 1;
    private const uint NoSuchCall = (uint)SeccompAction.Errno | 38;

    private static readonly string[] s_operators = ["SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"];
    private static readonly string[] s_actions = ["SCMP_ACT_ALLOW", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"];
    private static readonly ulong[] s_values = [0, 1, 2, 0xffffffff, 0x100000000, 0x100000001, 0x7fffffff00000000, ulong.MaxValue];

    private static readonly Gen<OciSeccompArgument> s_argument = Gen.Select(
        Gen.UInt[0, 5], Of(s_values), Of(s_values), Of(s_operators), static (index, value, two, op) => new OciSeccompArgument(index, value, two, op));

    private static readonly Gen<OciSeccompRule> s_rule = Gen.Select(
        Of(Enum.GetNames<SyscallNumber>()).Array[1, 12], Of(s_actions), Gen.UInt[1, 40], Gen.Frequency((3, Gen.Const(0)), (1, Gen.Int[1, 3])).SelectMany(static count => s_argument.Array[count]),
        static (names, action, errno, args) => new OciSeccompRule { Names = names, Action = action, ErrnoRet = errno, Args = args });

    [Fact]
    public void Program_DecidesAsTheRulesSay()
    {
        Gen.Select(Of(s_actions), s_rule.Array[1, 30], Of(s_values).Array[6]).Sample(
            (action, rules, values) =>
            {
                OciSeccomp profile = new() { DefaultAction = action, Syscalls = rules };
                SeccompState state = Load(profile);
                for (uint number = 0; number < 500; number++)
                {
                    Assert.Equal((number, Expected(profile, number, values)), (number, Decide(state, number, values)));
                }
            },
            iter: 200);
    }

    [Fact]
    public void ManyRules_FitIntoAProgram_ThatMostCallsNeverRun()
    {
        OciSeccomp profile = new()
        {
            DefaultAction = "SCMP_ACT_ERRNO",
            DefaultErrnoRet = 1,
            Architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
            Flags = ["SECCOMP_FILTER_FLAG_LOG"],
            Syscalls =
            [
                .. Enum.GetNames<SyscallNumber>().Where(static (_, i) => i % 2 == 0).Select(static name => new OciSeccompRule { Names = [name, "no_such_call", "17", "1", "write,read", " write"], Action = "SCMP_ACT_ALLOW" }),
                new OciSeccompRule { Names = ["socket"], Action = "SCMP_ACT_ALLOW", Args = [new(0, 40, 0, "SCMP_CMP_NE")] },
            ],
        };
        SeccompState state = Load(profile);
        Assert.True(state.AllowsAlways((ulong)SyscallNumber.read));
        Assert.False(state.AllowsAlways((ulong)SyscallNumber.write));
        Assert.Equal(Refused, Decide(state, (uint)SyscallNumber.write, s_values));
        Assert.Equal((Allow, Refused), (Decide(state, (uint)SyscallNumber.socket, [2]), Decide(state, (uint)SyscallNumber.socket, [40])));
        Assert.Equal(NoSuchCall, Decide(state, 499, s_values)); // newer than the rules
        Assert.Equal(NoSuchCall, Decide(state, 0x40000000, s_values)); // x32
        Assert.True(state.Logs);
    }

    [Fact]
    public void ConditionsOnOneArgumentTwice_AreAlternatives()
    {
        SeccompState state = Load(new OciSeccomp
        {
            DefaultAction = "SCMP_ACT_ERRNO",
            Syscalls = [new OciSeccompRule { Names = ["personality"], Action = "SCMP_ACT_ALLOW", Args = [new(0, 0, 0, "SCMP_CMP_EQ"), new(0, 8, 0, "SCMP_CMP_EQ")] }],
        });
        Assert.Equal([Allow, Allow, Refused], ((ulong[])[0, 8, 1]).Select(value => Decide(state, (uint)SyscallNumber.personality, [value])));
        Assert.Equal((uint)SeccompAction.KillThread, Decide(state, 0x40000000, s_values));
    }

    [Theory]
    [InlineData("SCMP_ACT_NOTIFY", "SCMP_ACT_ALLOW", "SCMP_CMP_EQ", 0, "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY is not supported")]
    [InlineData("", "SCMP_ACT_ALLOW", "SCMP_CMP_EQ", 0, "linux.seccomp.defaultAction: \"\" is not an action")]
    [InlineData("SCMP_ACT_ALLOW", "SCMP_ACT_NO", "SCMP_CMP_EQ", 0, "linux.seccomp.syscalls[0].action: \"SCMP_ACT_NO\" is not an action")]
    [InlineData("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_CMP_IS", 0, "linux.seccomp.syscalls[0].args[0].op: \"SCMP_CMP_IS\" is not a comparison")]
    [InlineData("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_CMP_EQ", 6, "linux.seccomp.syscalls[0].args[0].index: must be below 6")]
    public void Fault_NamesItsMember(string otherwise, string action, string op, uint index, string message)
    {
        OciSeccomp profile = new() { DefaultAction = otherwise, Syscalls = [new OciSeccompRule { Names = ["read"], Action = action, Args = [new(index, 0, 0, op)] }] };
        Assert.False(SeccompProfile.Compile(profile).TryGet(out _, out string? fault));
        Assert.StartsWith(message, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void UnknownArchitecturesAndFlags_AreFaults()
    {
        Assert.Contains("architectures", SeccompProfile.Compile(new OciSeccomp { DefaultAction = "SCMP_ACT_ALLOW", Architectures = ["SCMP_ARCH_VAX"] }).Error, StringComparison.Ordinal);
        Assert.Contains("flags", SeccompProfile.Compile(new OciSeccomp { DefaultAction = "SCMP_ACT_ALLOW", Flags = ["NEW"] }).Error, StringComparison.Ordinal);
        Assert.Contains("no error number", SeccompProfile.Compile(new OciSeccomp { DefaultAction = "SCMP_ACT_ERRNO", DefaultErrnoRet = 70000 }).Error, StringComparison.Ordinal);
    }

    private static Gen<T> Of<T>(T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static SeccompState Load(OciSeccomp profile)
    {
        Assert.True(SeccompProfile.Compile(profile).TryGet(out BpfProgram? program, out string? fault), fault);
        return new SeccompState(null, program, AllowedCalls.Of(program), SeccompProfile.Logs(profile));
    }

    private static uint Decide(SeccompState state, uint number, ReadOnlySpan<ulong> values)
    {
        Span<ulong> arguments = stackalloc ulong[6];
        values[..Math.Min(values.Length, 6)].CopyTo(arguments);
        uint decision = state.Decide(new RegisterSet { OrigRax = number, Rdi = arguments[0], Rsi = arguments[1], Rdx = arguments[2], R10 = arguments[3], R8 = arguments[4], R9 = arguments[5] });
        Assert.True(!state.AllowsAlways(number) || decision == Allow);
        return decision;
    }

    // The rules by the letter.
    private static uint Expected(OciSeccomp profile, uint number, ulong[] values)
    {
        string name = ((SyscallNumber)number).ToString();
        uint otherwise = ValueOf(profile.DefaultAction, 1);
        uint newest = profile.Syscalls.SelectMany(static rule => rule.Names).Max(static one => (uint)Enum.Parse<SyscallNumber>(one));
        if (number > newest && profile.DefaultAction is not ("SCMP_ACT_ALLOW" or "SCMP_ACT_LOG" or "SCMP_ACT_TRACE"))
        {
            return NoSuchCall;
        }

        OciSeccompRule[] own = [.. profile.Syscalls.Where(rule => rule.Names.Contains(name) && ValueOf(rule.Action, rule.ErrnoRet!.Value) != otherwise)];
        OciSeccompRule? found = own.FirstOrDefault(static rule => rule.Args.Count == 0) ?? own.FirstOrDefault(rule =>
            rule.Args.DistinctBy(static arg => arg.Index).Count() == rule.Args.Count ? rule.Args.All(arg => Holds(arg, values)) : rule.Args.Any(arg => Holds(arg, values)));
        return found is null ? otherwise : ValueOf(found.Action, found.ErrnoRet!.Value);
    }

    private static bool Holds(OciSeccompArgument test, ulong[] values) => test.Op switch
    {
        "SCMP_CMP_NE" => values[test.Index] != test.Value,
        "SCMP_CMP_LT" => values[test.Index] < test.Value,
        "SCMP_CMP_LE" => values[test.Index] <= test.Value,
        "SCMP_CMP_EQ" => values[test.Index] == test.Value,
        "SCMP_CMP_GE" => values[test.Index] >= test.Value,
        "SCMP_CMP_GT" => values[test.Index] > test.Value,
        _ => (values[test.Index] & test.Value) == test.ValueTwo,
    };

    private static uint ValueOf(string action, uint errno) => action switch
    {
        "SCMP_ACT_ALLOW" => Allow,
        "SCMP_ACT_KILL" => 0,
        "SCMP_ACT_KILL_PROCESS" => 0x80000000,
        "SCMP_ACT_TRAP" => 0x30000,
        "SCMP_ACT_ERRNO" => 0x50000 | errno,
        "SCMP_ACT_LOG" => 0x7ffc0000,
        _ => 0x7ff00000 | errno,
    };
}
