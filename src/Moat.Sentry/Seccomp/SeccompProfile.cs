using Moat.Kernel.Bpf;
using Moat.Kernel.Seccomp;
using Moat.Linux;
using Moat.Oci;

namespace Moat.Sentry.Seccomp;

/// <summary>The filter of system calls of a configuration (<c>linux.seccomp</c>), as runc and libseccomp understand it: names that this kernel does not know are skipped, a rule that says what happens
/// anyway is none, conditions on one argument twice are alternatives, and of several rules whose conditions hold the first counts.</summary>
internal static class SeccompProfile
{
    private const int MaxArguments = 6;
    private const int MaxRules = 65536;
    private const uint MaxErrno = 4095;
    private const string LogFlag = "SECCOMP_FILTER_FLAG_LOG";

    private static readonly string[] s_architectures =
    [
        "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64",
        "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",
        "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB",
    ];

    private static readonly string[] s_flags = ["SECCOMP_FILTER_FLAG_TSYNC", LogFlag, "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"];

    /// <summary>Whether a filter wants its decisions logged.</summary>
    public static bool Logs(OciSeccomp profile) => profile.Flags.Contains(LogFlag);

    /// <summary>Makes the program, or says what is wrong with the configuration.</summary>
    public static Checked<BpfProgram> Compile(OciSeccomp profile)
    {
        if (FindUnknown(profile.Architectures, s_architectures, "architectures") is { } architecture)
        {
            return Checked<BpfProgram>.Fail(architecture);
        }

        if (FindUnknown(profile.Flags, s_flags, "flags") is { } flag)
        {
            return Checked<BpfProgram>.Fail(flag);
        }

        if (!TryDecide(profile.DefaultAction, profile.DefaultErrnoRet, out uint otherwise, out string? fault))
        {
            return Checked<BpfProgram>.Fail($"linux.seccomp.defaultAction: {fault}");
        }

        SortedDictionary<uint, List<CallRule>> rules = [];
        uint? newest = null;
        int count = 0;
        for (int i = 0; i < profile.Syscalls.Count; i++)
        {
            if (profile.Syscalls[i] is not { } rule)
            {
                return Checked<BpfProgram>.Fail($"linux.seccomp.syscalls[{i}]: must be an object");
            }

            if (!TryDecide(rule.Action, rule.ErrnoRet, out uint decision, out fault))
            {
                return Checked<BpfProgram>.Fail($"linux.seccomp.syscalls[{i}].action: {fault}");
            }

            if (!TryReadTests(rule.Args, out List<ArgumentTest> tests, out fault))
            {
                return Checked<BpfProgram>.Fail($"linux.seccomp.syscalls[{i}].args{fault}");
            }

            foreach (string? name in rule.Names)
            {
                if (!TryFind(name, out uint number))
                {
                    continue;
                }

                newest = Math.Max(newest ?? 0, number);
                count += tests.Count + 1;
                if (count > MaxRules)
                {
                    return Checked<BpfProgram>.Fail("linux.seccomp.syscalls: must not have more rules");
                }

                if (decision != otherwise)
                {
                    Add(rules, number, tests, decision);
                }
            }
        }

        // A default that lets calls through lets newer ones through, and one that says ENOSYS says it already.
        bool stops = (SeccompAction)otherwise is not (SeccompAction.Allow or SeccompAction.Log) && (SeccompAction)(otherwise & 0xffff0000) != SeccompAction.Trace && otherwise != SeccompCompiler.NoSuchCall;
        return new SeccompCompiler(rules, otherwise).Compile(stops ? newest : null, profile.Architectures.Contains("SCMP_ARCH_X32")) is { } program ? Checked<BpfProgram>.Ok(program)
            : Checked<BpfProgram>.Fail($"linux.seccomp.syscalls: the filter must not have more than {BpfProgram.MaxLength} instructions");
    }

    private static void Add(SortedDictionary<uint, List<CallRule>> rules, uint number, List<ArgumentTest> tests, uint decision)
    {
        if (!rules.TryGetValue(number, out List<CallRule>? own))
        {
            rules[number] = own = [];
        }

        if (tests.DistinctBy(static test => test.Index).Count() == tests.Count)
        {
            own.Add(new CallRule(tests, decision));
            return;
        }

        foreach (ArgumentTest test in tests)
        {
            own.Add(new CallRule([test], decision));
        }
    }

    // Numbers, lists and names with spaces are names to Enum.TryParse, but not to libseccomp.
    private static bool TryFind(string? name, out uint number)
    {
        bool isKnown = Enum.TryParse(name, out SyscallNumber found) && found.ToString() == name;
        number = (uint)found;
        return isKnown;
    }

    private static bool TryDecide(string action, uint? errno, out uint decision, out string? fault)
    {
        uint data = errno ?? (uint)Errno.EPERM;
        fault = null;
        decision = 0;
        switch (action)
        {
            case "SCMP_ACT_KILL" or "SCMP_ACT_KILL_THREAD":
                decision = (uint)SeccompAction.KillThread;
                break;
            case "SCMP_ACT_KILL_PROCESS":
                decision = (uint)SeccompAction.KillProcess;
                break;
            case "SCMP_ACT_TRAP":
                decision = (uint)SeccompAction.Trap;
                break;
            case "SCMP_ACT_ERRNO" when data <= MaxErrno:
                decision = (uint)SeccompAction.Errno | data;
                break;
            case "SCMP_ACT_TRACE" when data <= ushort.MaxValue:
                decision = (uint)SeccompAction.Trace | data;
                break;
            case "SCMP_ACT_ERRNO" or "SCMP_ACT_TRACE":
                fault = $"{data} is no error number";
                break;
            case "SCMP_ACT_LOG":
                decision = (uint)SeccompAction.Log;
                break;
            case "SCMP_ACT_ALLOW":
                decision = (uint)SeccompAction.Allow;
                break;
            case "SCMP_ACT_NOTIFY":
                fault = "SCMP_ACT_NOTIFY is not supported: nobody outside of the sandbox can answer for its system calls";
                break;
            default:
                fault = $"\"{action}\" is not an action";
                break;
        }

        return fault is null;
    }

    private static bool TryReadTests(IReadOnlyList<OciSeccompArgument> arguments, out List<ArgumentTest> tests, out string? fault)
    {
        tests = [];
        fault = null;
        for (int i = 0; i < arguments.Count && fault is null; i++)
        {
            if (arguments[i] is not { Index: < MaxArguments } argument || ComparisonOf(argument.Op) is not { } comparison)
            {
                fault = arguments[i] is { Index: < MaxArguments } ? $"[{i}].op: \"{arguments[i].Op}\" is not a comparison" : $"[{i}].index: must be below {MaxArguments}";
            }
            else
            {
                tests.Add(new ArgumentTest((int)argument.Index, comparison, argument.Value, argument.ValueTwo));
            }
        }

        return fault is null;
    }

    private static ArgumentComparison? ComparisonOf(string? name) => name switch
    {
        "SCMP_CMP_NE" => ArgumentComparison.NotEqual,
        "SCMP_CMP_LT" => ArgumentComparison.Less,
        "SCMP_CMP_LE" => ArgumentComparison.LessOrEqual,
        "SCMP_CMP_EQ" => ArgumentComparison.Equal,
        "SCMP_CMP_GE" => ArgumentComparison.GreaterOrEqual,
        "SCMP_CMP_GT" => ArgumentComparison.Greater,
        "SCMP_CMP_MASKED_EQ" => ArgumentComparison.MaskedEqual,
        _ => null,
    };

    private static string? FindUnknown(IReadOnlyList<string> names, string[] known, string member)
    {
        foreach (string? name in names)
        {
            if (!known.Contains(name))
            {
                return $"linux.seccomp.{member}: \"{name}\" is not known";
            }
        }

        return null;
    }
}
