# the shop
resource "aws_ecs_task_definition" "web" {
  family                   = "web" # soci-lint: allow latest-tag
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  container_definitions    = jsonencode([
    { name = "web", image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4", }, // kept
  ])
}

resource "aws_ecs_service" "web" {
  task_definition  = aws_ecs_task_definition.web.arn
  launch_type      = "FARGATE"
  platform_version = "1.3.0"
}
