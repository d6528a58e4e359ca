namespace Moat.Kernel.Namespaces;

/// <summary>Host and domain name (uts_namespaces(7)). Any thread.</summary>
public sealed class UtsNamespace(ulong id, string hostName, string domainName)
{
    /// <summary>The number that /proc/PID/ns shows.</summary>
    public ulong Id => id;

    /// <summary>sethostname(2).</summary>
    public string HostName { get; set; } = hostName;

    /// <summary>setdomainname(2).</summary>
    public string DomainName { get; set; } = domainName;

    /// <summary>A copy for CLONE_NEWUTS.</summary>
    public UtsNamespace Clone(NamespaceIds ids) => new(ids.Next(), HostName, DomainName);
}
