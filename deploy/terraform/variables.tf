variable "name" {
  description = "Name of the function, and beginning of the names of all that belongs to it"
  type        = string
  default     = "soci"
}

variable "code" {
  description = "Path of the function's zip, of a release (cargo-soci-lambda-VERSION-ARCHITECTURE.zip), for the architecture below"
  type        = string
}

variable "architecture" {
  description = "Of the function, not of the images: arm64 or x86_64"
  type        = string
  default     = "arm64"
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The architecture is arm64 or x86_64."
  }
}

variable "memory_size" {
  description = "MiB; processors come with memory, one for every 1769 MiB"
  type        = number
  default     = 2048
}

variable "timeout" {
  description = "Seconds of one call; what is not done by then is gone on with by another"
  type        = number
  default     = 900
}

variable "maximum_concurrency" {
  description = "Images that are converted at the same time"
  type        = number
  default     = 10
}

variable "tag_model" {
  description = "replace moves the tag to the SOCI-enabled image; sibling names that TAG-soci, which immutable tags need"
  type        = string
  default     = "replace"
  validation {
    condition     = contains(["replace", "sibling"], var.tag_model)
    error_message = "The tag model is replace or sibling."
  }
}

variable "repositories" {
  description = "Patterns of repositories; empty for all"
  type        = list(string)
  default     = []
}

variable "repository_names" {
  description = "What the role may write to: patterns as in ARNs, such as shop/*; the patterns above should lie within"
  type        = list(string)
  default     = ["*"]
}

variable "tags" {
  description = "Patterns of tags; empty for all"
  type        = list(string)
  default     = []
}

variable "except_tags" {
  description = "Patterns of tags that are left alone"
  type        = list(string)
  default     = []
}

variable "platforms" {
  description = "Platforms to convert, such as linux/amd64; empty for all that an image has"
  type        = list(string)
  default     = []
}

variable "span_size" {
  description = "Size of a span"
  type        = string
  default     = "4MiB"
}

variable "min_layer_size" {
  description = "Smaller layers stay without an index"
  type        = string
  default     = "10MiB"
}

variable "alarm_topic_arns" {
  description = "Topics of Amazon SNS that alarms go to"
  type        = list(string)
  default     = []
}

variable "log_retention_in_days" {
  description = "How long log lines are kept"
  type        = number
  default     = 30
}
